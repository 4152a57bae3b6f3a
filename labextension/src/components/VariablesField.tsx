import * as React from 'react';

import type { IVariableRow } from '../formschema';
import { useServices } from './context';
import type { IInputProps } from './Field';
import { Button } from './Parts';

/** Environment variables, a row each. */
export function VariablesField(props: IInputProps & { rows: IVariableRow[] }): React.JSX.Element {
  const { id, rows, onChange, describedBy, invalid } = props;
  const { trans } = useServices();
  const box = React.useRef<HTMLDivElement>(null);
  const shown = rows.length ? rows : [{ name: '', value: '' }];
  const change = (index: number, part: Partial<IVariableRow>): void =>
    onChange(shown.map((row, at) => (at === index ? { ...row, ...part } : row)));
  const add = (): void => {
    onChange([...shown, { name: '', value: '' }]);
    requestAnimationFrame(() => {
      box.current?.querySelector<HTMLInputElement>('[data-row]:last-of-type input')?.focus();
    });
  };
  return (
    <div ref={box} className="jp-ehpc-Variables" role="group" aria-labelledby={`${id}-label`} aria-describedby={describedBy}>
      {shown.map((row, index) => (
        <div key={index} data-row={index}>
          <input
            id={index === 0 ? id : undefined}
            aria-label={trans.__('Name of variable %1', index + 1)}
            aria-invalid={invalid || undefined}
            placeholder={trans.__('Name')}
            spellCheck={false}
            autoCapitalize="off"
            value={row.name}
            onChange={event => change(index, { name: event.target.value })}
          />
          <input
            aria-label={trans.__('Value of variable %1', index + 1)}
            placeholder={trans.__('Value')}
            spellCheck={false}
            autoCapitalize="off"
            value={row.value}
            onChange={event => change(index, { value: event.target.value })}
          />
          <Button
            icon="trash"
            aria-label={trans.__('Remove variable %1', index + 1)}
            title={trans.__('Remove')}
            onClick={() => onChange(shown.filter((_, at) => at !== index))}
          />
        </div>
      ))}
      <Button icon="plus" onClick={add}>
        {trans.__('Add a variable')}
      </Button>
    </div>
  );
}
