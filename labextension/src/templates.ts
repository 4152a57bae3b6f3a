import { CLUSTER_PATH, type IField, type IVariableRow, type Value, type Values } from './formschema';

/** What the form says as a template's fields: a wire path and text, as one would type it. Passwords stay here. */
export function templateOf(
  fields: readonly IField[],
  values: Values,
  fixed: { cluster: string; unused: string | null }
): Record<string, string> {
  const found: Record<string, string> = { [CLUSTER_PATH]: fixed.cluster };
  for (const { path, widget } of fields) {
    const value = values[path];
    if (value === undefined || path === fixed.unused || widget === 'password' || widget === 'cluster') {
      continue;
    }
    const text = Array.isArray(value) ? variablesText(value) : String(value);
    if (text.trim()) {
      found[path] = text;
    }
  }
  return found;
}

/** What a template fills in; fields that this form does not have are left out. */
export function valuesOf(fields: readonly IField[], template: Readonly<Record<string, string>>): Values {
  const values: Values = {};
  for (const { path, type, widget } of fields) {
    const text = template[path];
    if (text !== undefined && widget !== 'password' && widget !== 'cluster') {
      values[path] = widget === 'variables' ? variableRows(text) : type === 'boolean' ? text === 'true' : text;
    }
  }
  return values;
}

function variablesText(rows: readonly IVariableRow[]): string {
  const named = rows.filter(row => row.name.trim() || row.value);
  return named.length ? JSON.stringify(named.map(row => ({ Name: row.name.trim(), Value: row.value }))) : '';
}

function variableRows(text: string): Value {
  try {
    const rows: unknown = JSON.parse(text);
    const part = (row: unknown, name: string): string => {
      const value = (row as Record<string, unknown> | null)?.[name];
      return typeof value === 'string' ? value : '';
    };
    return Array.isArray(rows) ? rows.map(row => ({ name: part(row, 'Name'), value: part(row, 'Value') })) : [];
  } catch {
    return [];
  }
}
