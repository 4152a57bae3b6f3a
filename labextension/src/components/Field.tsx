import * as React from 'react';

import type { IField, IVariableRow, Value } from '../formschema';
import { useServices } from './context';
import { QueueField } from './QueueField';
import { VariablesField } from './VariablesField';

/** What a field of the form is given, whatever its widget. */
export interface IInputProps {
  field: IField;
  id: string;
  value: Value | undefined;
  onChange: (value: Value) => void;
  /** Ids of its help and of its error. */
  describedBy: string | undefined;
  invalid: boolean;
}

interface IFieldProps {
  field: IField;
  id: string;
  value: Value | undefined;
  cluster: string;
  error: string | undefined;
  /** Something above it shows the same word. */
  hideLabel?: boolean;
  onChange: (value: Value) => void;
}

/** A label, an input by the schema's hint, its help, and what the server has against it. */
export function Field(props: IFieldProps): React.JSX.Element {
  const { field, id, value, cluster, error, hideLabel = false, onChange } = props;
  const { trans } = useServices();
  // The model tells how the API writes them; here they are rows.
  const help = field.widget === 'variables' ? trans.__('Environment variables of the job.') : field.description;
  const helpId = `${id}-help`;
  const errorId = `${id}-error`;
  const ids = [error && errorId, help && helpId].filter(Boolean).join(' ');
  const input: IInputProps = { field, id, value, onChange, describedBy: ids || undefined, invalid: Boolean(error) };
  const label = (
    <label id={`${id}-label`} htmlFor={id} className={hideLabel ? 'jp-ehpc-Hidden' : undefined}>
      {field.title}
      {field.required && <span aria-hidden="true"> *</span>}
    </label>
  );
  return (
    <div className="jp-ehpc-Field" data-widget={field.widget}>
      {label}
      <Input {...input} cluster={cluster} />
      <FieldError id={errorId} text={error} />
      {help && (
        <p id={helpId} className="jp-ehpc-Help">
          {help}
        </p>
      )}
    </div>
  );
}

export function FieldError({ id, text }: { id: string; text: string | undefined }): React.JSX.Element | null {
  return text ? (
    <p id={id} className="jp-ehpc-FieldError">
      {text}
    </p>
  ) : null;
}

function Input({ cluster, ...props }: IInputProps & { cluster: string }): React.JSX.Element {
  const { field, value, onChange } = props;
  const { trans } = useServices();
  if (field.widget === 'variables') {
    return <VariablesField {...props} rows={Array.isArray(value) ? value : NO_ROWS} />;
  }
  if (field.widget === 'queue') {
    return <QueueField {...props} cluster={cluster} />;
  }
  const shared = {
    id: props.id,
    'aria-describedby': props.describedBy,
    'aria-invalid': props.invalid || undefined,
    'aria-required': field.required || undefined
  };
  if (field.type === 'boolean') {
    return (
      <input {...shared} type="checkbox" checked={value === true} onChange={event => onChange(event.target.checked)} />
    );
  }
  const text = typeof value === 'string' ? value : '';
  if (field.choices.length) {
    return (
      <select {...shared} value={text} onChange={event => onChange(event.target.value)}>
        <option value="">{trans.__('Default')}</option>
        {field.choices.map(choice => (
          <option key={choice}>{choice}</option>
        ))}
      </select>
    );
  }
  const typed = {
    ...shared,
    value: text,
    spellCheck: false,
    autoCapitalize: 'off',
    onChange: (event: React.ChangeEvent<HTMLInputElement | HTMLTextAreaElement>) => onChange(event.target.value)
  };
  if (field.widget === 'code') {
    return <textarea {...typed} rows={8} wrap="off" placeholder={field.example || SCRIPT_EXAMPLE} />;
  }
  if (field.widget === 'password') {
    // "new-password" keeps browsers from filling in, and from offering to store, what is no password of this page.
    return <input {...typed} type="password" autoComplete="new-password" />;
  }
  if (field.widget === 'number') {
    return <input {...typed} type="number" min={field.minimum} max={field.maximum} placeholder={field.example} />;
  }
  return <input {...typed} type="text" autoComplete="off" placeholder={field.example} />;
}

const SCRIPT_EXAMPLE = '#!/bin/bash\nhostname';
const NO_ROWS: IVariableRow[] = [];
