import * as React from 'react';

import type { ApiError } from '../errors';
import { exact, moment } from '../time';
import { useServices } from './context';
import { Icon, type IconName } from './icons';

const ENABLE_COMMAND = 'jupyter server extension enable ehpc_jupyter';

interface IButtonProps extends React.ButtonHTMLAttributes<HTMLButtonElement> {
  icon?: IconName;
  /** A link looks like one: it opens something and changes nothing. */
  look?: 'primary' | 'plain' | 'danger' | 'link';
}

/** A button with a word, and an icon if it has one. */
export function Button({ icon, look = 'plain', children, ...rest }: IButtonProps): React.JSX.Element {
  return (
    <button type="button" className="jp-ehpc-Button" data-look={look} {...rest}>
      {icon && <Icon name={icon} />}
      {children && <span>{children}</span>}
    </button>
  );
}

/** Copies text, and says for a moment that it did. */
export function CopyButton({ text, label, what }: { text: string; label?: string; what?: string }): React.JSX.Element {
  const { ehpc, trans } = useServices();
  const [copied, setCopied] = React.useState(false);
  React.useEffect(() => {
    const timer = copied ? window.setTimeout(() => setCopied(false), 2000) : 0;
    return () => window.clearTimeout(timer);
  }, [copied]);
  const word = copied ? trans.__('Copied') : (label ?? '');
  const name = copied || !what ? undefined : what;
  return (
    <Button
      icon={copied ? 'check' : 'copy'}
      look="link"
      title={name}
      aria-label={copied && !label ? trans.__('Copied') : name}
      onClick={() => void ehpc.actions.copy(text).then(() => setCopied(true))}
    >
      {label && word}
    </Button>
  );
}

/** A time of this browser's zone; its tooltip is the full date with the zone. */
export function When({ seconds, children }: { seconds: number; children?: React.ReactNode }): React.JSX.Element {
  return (
    <time className="jp-ehpc-Time" dateTime={new Date(seconds * 1000).toISOString()} title={exact(seconds)}>
      {children ?? moment(seconds)}
    </time>
  );
}

/** An error of the server with all that helps to find its cause, or the reason why there is no answer. */
export function Alert({ error, onRetry }: { error: ApiError; onRetry?: () => void }): React.JSX.Element {
  const { trans } = useServices();
  let title = error.code || trans.__('HTTP %1', error.status);
  let text = error.message;
  if (error.unanswered) {
    title = trans.__('No answer');
    text = trans.__('The Jupyter server does not answer. Jobs on clusters go on without it.');
  } else if (error.missing) {
    title = trans.__('The server part is missing');
    text = trans.__('Enable it where Jupyter runs, then restart Jupyter:');
  }
  return (
    <div className="jp-ehpc-Alert" role="alert">
      <Icon name="warning" />
      <div>
        <strong>{title}</strong>
        <p>{text}</p>
        {error.missing && <code>{ENABLE_COMMAND}</code>}
        {error.recommend && <p>{error.recommend}</p>}
        {error.requestId && <p className="jp-ehpc-Muted">{trans.__('Request %1', error.requestId)}</p>}
        {onRetry && <Button onClick={onRetry}>{trans.__('Try again')}</Button>}
      </div>
    </div>
  );
}
