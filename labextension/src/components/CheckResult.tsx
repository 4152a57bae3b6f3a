import * as React from 'react';

import type { CheckJobResponse } from '../generated/api';
import { clock } from '../time';
import { useServices } from './context';
import { Icon } from './icons';
import { CopyButton, When } from './Parts';

/** What the cluster would say to the job, and exactly what would be sent. */
export function CheckResult({ answer, elsewhere }: { answer: CheckJobResponse; elsewhere: string[] }): React.JSX.Element {
  const { trans } = useServices();
  return (
    <div className="jp-ehpc-Check" data-tone={answer.Valid ? 'good' : 'bad'}>
      <div role="status">
        <Icon name={answer.Valid ? 'check' : 'warning'} />
        <div>
          <strong>{answer.Valid ? trans.__('The cluster would take it.') : trans.__('The cluster would not take it.')}</strong>
          {answer.StartTime !== undefined && (
            <p>
              {trans.__('It would start about')} <When seconds={answer.StartTime}>{clock(answer.StartTime)}</When>
              {answer.NodeList && ` ${trans.__('on %1', answer.NodeList)}`}
            </p>
          )}
          {elsewhere.map((text, index) => (
            <p key={index}>{text}</p>
          ))}
          {answer.Message && <p className="jp-ehpc-Muted">{answer.Message}</p>}
        </div>
      </div>
      <details>
        <summary>
          <Icon name="chevron" />
          {trans.__('What would be submitted')}
        </summary>
        <Code title={trans.__('Command')} text={answer.Command} />
        <Code title={trans.__('Script')} text={answer.Script} />
      </details>
    </div>
  );
}

function Code({ title, text }: { title: string; text: string }): React.JSX.Element {
  const { trans } = useServices();
  return (
    <div>
      <span className="jp-ehpc-CodeHead">
        {title}
        <CopyButton text={text} what={trans.__('Copy: %1', title)} />
      </span>
      <pre tabIndex={0} aria-label={title}>
        {text}
      </pre>
    </div>
  );
}
