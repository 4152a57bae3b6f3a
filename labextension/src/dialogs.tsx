import { Dialog, InputDialog, ReactWidget, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IExtras, ITarget, Order } from './control';

/** Ask before an order that costs something; null if the answer is no. Hold and release can be undone: nothing is asked. */
export async function askBefore(order: Order, target: ITarget, trans: TranslationBundle): Promise<IExtras | null> {
  const count = target.ids.length;
  const [id = ''] = target.ids;
  if (order === 'stop') {
    const yes = await ask(trans, {
      title: count === 1 ? trans.__('Stop job %1?', id) : trans.__('Stop %1 jobs?', count),
      body:
        count === 1
          ? trans.__('“%1” on %2 will be cancelled. This cannot be undone.', target.name, target.cluster)
          : trans.__('They will be cancelled on %1: %2. This cannot be undone.', target.cluster, someOf(target.ids)),
      no: trans.__('Leave it'),
      yes: count === 1 ? trans.__('Stop the job') : trans.__('Stop %1 jobs', count)
    });
    return yes ? {} : null;
  }
  if (order === 'rerun' && count > 1) {
    const yes = await ask(trans, {
      title: trans.__('Run %1 jobs again?', count),
      body: trans.__('Each is submitted once more to %1, as a new job: %2.', target.cluster, someOf(target.ids)),
      yes: trans.__('Run %1 jobs again', count)
    });
    return yes ? {} : null;
  }
  if (order === 'delete') {
    const body = new DeleteBody(target, trans);
    const yes = await ask(trans, {
      title: count === 1 ? trans.__('Delete job %1?', id) : trans.__('Delete %1 jobs?', count),
      body,
      yes: trans.__('Delete')
    });
    return yes ? { deleteFolder: body.withFolder } : null;
  }
  return {};
}

/** Ask for the password of the account that a job ran as. */
export async function askPassword(why: string, trans: TranslationBundle): Promise<string | null> {
  const answer = await InputDialog.getPassword({
    title: trans.__('Password of the account'),
    label: why,
    okLabel: trans.__('Run again')
  });
  return answer.button.accept ? answer.value : null;
}

interface IQuestion {
  title: string;
  body: string | ReactWidget;
  yes: string;
  no?: string;
}

async function ask(trans: TranslationBundle, { title, body, yes, no }: IQuestion): Promise<boolean> {
  const answer = await showDialog({
    title,
    body,
    buttons: [Dialog.cancelButton({ label: no ?? trans.__('Cancel') }), Dialog.warnButton({ label: yes })],
    defaultButton: 0
  });
  return answer.button.accept;
}

/** What a deletion takes away, and the check box for the rest of it. */
class DeleteBody extends ReactWidget {
  constructor(
    private readonly _target: ITarget,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-ehpc-DeleteBody');
  }

  withFolder = false;

  protected override render(): React.JSX.Element {
    const { ids, name, cluster } = this._target;
    const trans = this._trans;
    return (
      <>
        <p>
          {ids.length === 1
            ? trans.__('“%1” on %2 will no longer be listed.', name, cluster)
            : trans.__('They will no longer be listed: %1.', someOf(ids))}
        </p>
        <label>
          <input type="checkbox" onChange={event => (this.withFolder = event.target.checked)} />{' '}
          {ids.length === 1
            ? trans.__('Remove its folder on the cluster, too, with its script and output')
            : trans.__('Remove their folders on the cluster, too, with their scripts and output')}
        </label>
        <p>{trans.__('Output files that lie elsewhere stay. This cannot be undone.')}</p>
      </>
    );
  }
}

/** Some ids of many. */
function someOf(ids: readonly string[]): string {
  const SHOWN = 12;
  const text = ids.slice(0, SHOWN).join(', ');
  return ids.length > SHOWN ? `${text}, …` : text;
}
