/* Notebooks as far as a card needs them. The notebook package would bring eighty others into the build for this. */

import type { JupyterFrontEnd } from '@jupyterlab/application';

interface ICellWidget {
  node: HTMLElement;
  model: { sharedModel: { getSource(): string } };
}

interface INotebook {
  node: HTMLElement;
  widgets: readonly ICellWidget[];
  activeCellIndex: number;
  mode: 'command' | 'edit';
  model: {
    readOnly: boolean;
    sharedModel: { insertCell(index: number, cell: { cell_type: 'code'; source: string; metadata: object }): unknown };
  } | null;
}

/** A card's place in a notebook. */
export interface IPlace {
  notebook: INotebook;
  index: number;
  /** What the card's cell says. */
  source: string;
}

/** Where an element stands; null if in no notebook that can be changed. */
export function placeOf(shell: JupyterFrontEnd.IShell, element: HTMLElement): IPlace | null {
  for (const widget of shell.widgets('main')) {
    const notebook = (widget as { content?: Partial<INotebook> }).content;
    if (isNotebook(notebook) && notebook.node.contains(element) && notebook.model?.readOnly === false) {
      const index = notebook.widgets.findIndex(cell => cell.node.contains(element));
      const cell = notebook.widgets[index];
      return cell ? { notebook, index, source: cell.model.sharedModel.getSource() } : null;
    }
  }
  return null;
}

/** Put a code cell below the place, and the cursor into it. */
export function insertBelow({ notebook, index }: IPlace, source: string): void {
  notebook.model?.sharedModel.insertCell(index + 1, { cell_type: 'code', source, metadata: {} });
  notebook.activeCellIndex = index + 1;
  notebook.mode = 'edit';
}

function isNotebook(content: Partial<INotebook> | undefined): content is INotebook {
  return Array.isArray(content?.widgets) && content.model !== undefined && content.activeCellIndex !== undefined;
}
