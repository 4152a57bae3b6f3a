import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { IThemeManager } from '@jupyterlab/apputils';
import { CommandRegistry } from '@lumino/commands';
import { Signal } from '@lumino/signaling';
import { expect, test, vi } from 'vitest';

vi.mock('../src/icon', () => ({ ehpcIcon: undefined }));

import { addCommands } from '../src/commands';
import type { PanelModel } from '../src/panelmodel';
import { CommandIDs } from '../src/tokens';
import { FakeApi, services, trans } from './fakes';

function commandsOf(baseUrl: string, theme: string | null): CommandRegistry {
  const commands = new CommandRegistry();
  const { ehpc } = services(new FakeApi({}));
  addCommands({
    app: { commands, shell: {}, serviceManager: { serverSettings: { baseUrl } } } as unknown as JupyterFrontEnd,
    ehpc,
    panel: { changed: new Signal({}) } as unknown as PanelModel,
    panelId: 'panel',
    trans,
    palette: null,
    launcher: null,
    themes: theme === null ? null : ({ theme, isLight: () => theme === 'Light' } as unknown as IThemeManager)
  });
  return commands;
}

test.each([
  ['http://h/user/jane/', 'Dark', 'http://h/user/jane/ehpc/docs?theme=dark'],
  ['http://h/', 'Light', 'http://h/ehpc/docs?theme=light'],
  ['http://h/', null, 'http://h/ehpc/docs']
])('the API page of %s in theme %s is opened as a page of help', async (baseUrl, theme, url) => {
  const commands = commandsOf(baseUrl, theme);
  const execute = vi.fn();
  commands.addCommand('help:open', { execute });
  await commands.execute(CommandIDs.openApi);
  expect(execute).toHaveBeenCalledWith({ url, text: 'Cluster Jobs API' });
});

test('without pages of help it is a tab of the browser', async () => {
  const open = vi.spyOn(window, 'open').mockReturnValue(null);
  await commandsOf('http://h/', null).execute(CommandIDs.openApi);
  expect(open).toHaveBeenCalledWith('http://h/ehpc/docs', '_blank', 'noopener');
});
