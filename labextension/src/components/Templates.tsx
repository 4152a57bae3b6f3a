import * as React from 'react';

import { ApiError } from '../errors';
import type { Template } from '../generated/api';
import { useServices } from './context';
import { Alert, Button } from './Parts';

interface ITemplatesProps {
  /** Fill the form in. */
  onUse: (template: Template) => void;
  /** What the form says now. */
  fields: () => Record<string, string>;
}

/** What was kept of forms under a name: choose one to fill this one in, keep what this one says, forget one. */
export function Templates({ onUse, fields }: ITemplatesProps): React.JSX.Element | null {
  const { ehpc, trans } = useServices();
  const { api } = ehpc;
  const id = React.useId();
  const [found, setFound] = React.useState<readonly Template[] | null>(null);
  const [chosen, setChosen] = React.useState('');
  const [naming, setNaming] = React.useState<string | null>(null);
  const [asking, setAsking] = React.useState(false);
  const [error, setError] = React.useState<ApiError | null>(null);
  const [said, setSaid] = React.useState('');

  const load = React.useCallback(
    () =>
      api.call('ListTemplates', {}).then(
        answer => setFound(answer.Templates),
        () => setFound(null) // a form without templates is a form all the same
      ),
    [api]
  );
  React.useEffect(() => void load(), [load]);
  const run = async (work: () => Promise<unknown>, done: string): Promise<boolean> => {
    try {
      await work();
      setError(null);
      setSaid(done);
      await load();
      return true;
    } catch (reason) {
      setError(ApiError.from(reason));
      setSaid('');
      return false;
    }
  };
  const save = async (): Promise<void> => {
    const name = (naming ?? '').trim();
    if (name && (await run(() => api.call('SaveTemplate', { Name: name, Fields: fields() }), trans.__('Saved as “%1”.', name)))) {
      setNaming(null);
      setChosen(name);
    }
  };
  const forget = async (): Promise<void> => {
    setAsking(false);
    if (await run(() => api.call('DeleteTemplate', { Name: chosen }), trans.__('“%1” is deleted.', chosen))) {
      setChosen('');
    }
  };
  if (found === null) {
    return null;
  }
  return (
    <div className="jp-ehpc-Templates">
      <label htmlFor={id} className="jp-ehpc-Hidden">
        {trans.__('Template')}
      </label>
      <select
        id={id}
        value={chosen}
        onChange={event => {
          const template = found.find(one => one.Name === event.target.value);
          setChosen(template?.Name ?? '');
          setAsking(false);
          setSaid(template ? trans.__('Filled in from “%1”.', template.Name) : '');
          if (template) {
            onUse(template);
          }
        }}
      >
        <option value="">{found.length ? trans.__('Start from a template…') : trans.__('No templates yet')}</option>
        {found.map(({ Name }) => (
          <option key={Name}>{Name}</option>
        ))}
      </select>
      <Button look="link" title={trans.__('Keep what the form says under a name')} onClick={() => setNaming(chosen)}>
        {trans.__('Save…')}
      </Button>
      <Button
        look="link"
        icon="trash"
        disabled={!chosen}
        title={trans.__('Delete the template')}
        aria-label={trans.__('Delete the template')}
        onClick={() => setAsking(true)}
      />
      {naming !== null && (
        <div className="jp-ehpc-TemplateRow">
          <input
            autoFocus
            aria-label={trans.__('Name of the template')}
            placeholder={trans.__('Name of the template')}
            maxLength={100}
            value={naming}
            onChange={event => setNaming(event.target.value)}
            onKeyDown={event => {
              if (event.key === 'Enter') {
                // It stands in the form, which Enter would submit.
                event.preventDefault();
                void save();
              } else if (event.key === 'Escape') {
                setNaming(null);
              }
            }}
          />
          <Button disabled={!naming.trim()} onClick={() => void save()}>
            {found.some(one => one.Name === naming.trim()) ? trans.__('Replace') : trans.__('Save')}
          </Button>
          <Button look="link" onClick={() => setNaming(null)}>
            {trans.__('Cancel')}
          </Button>
        </div>
      )}
      {asking && (
        <div className="jp-ehpc-TemplateRow" role="group" aria-label={trans.__('Delete the template')}>
          <span>{trans.__('Delete “%1”?', chosen)}</span>
          <Button look="danger" onClick={() => void forget()}>
            {trans.__('Delete')}
          </Button>
          <Button look="link" onClick={() => setAsking(false)}>
            {trans.__('Keep')}
          </Button>
        </div>
      )}
      <p role="status" className="jp-ehpc-Muted">
        {said}
      </p>
      {error && <Alert error={error} />}
    </div>
  );
}
