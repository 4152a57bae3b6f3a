import type { CreateJobRequest } from './generated/api';

/** The part of JSON schema that pydantic writes for the models. */
export interface ISchema {
  type?: string;
  title?: string;
  description?: string;
  default?: unknown;
  examples?: unknown[];
  enum?: unknown[];
  format?: string;
  minimum?: number;
  maximum?: number;
  properties?: Record<string, ISchema>;
  required?: string[];
  anyOf?: ISchema[];
  $ref?: string;
  $defs?: Record<string, ISchema>;
  'x-ehpc'?: { group?: string; widget?: string; choices?: string[] };
}

/** One field of the form. */
export interface IField {
  /** Wire path, for instance `JobSpec.Resources.Cores`: the key of its value and of its errors. */
  path: string;
  title: string;
  description: string;
  example: string;
  group: string;
  widget: string;
  type: string;
  required: boolean;
  choices: string[];
  minimum?: number | undefined;
  maximum?: number | undefined;
  /** Of a group of fields. */
  children: IField[];
}

export interface IVariableRow {
  name: string;
  value: string;
}

export type Value = string | boolean | IVariableRow[];
export type Values = Record<string, Value>;

/** Two ways to say what runs; a request holds one of them. */
export const ALTERNATIVES = ['JobSpec.Script', 'JobSpec.CommandLine'] as const;

export const CLUSTER_PATH = 'ClusterId';

/** The fields of a request, in the model's order; hidden ones are left out, unknown widgets become text. */
export function readFields(root: ISchema): IField[] {
  return fieldsOf(root, root, '', 'more');
}

function fieldsOf(schema: ISchema, root: ISchema, prefix: string, inherited: string): IField[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, raw]) => {
    const part = resolve(raw, root);
    const path = prefix + name;
    const hint = part['x-ehpc'];
    const group = hint?.group ?? inherited;
    if (group === 'hidden') {
      return [];
    }
    const children = part.properties ? fieldsOf(part, root, `${path}.`, group) : [];
    if (children.length && !hint) {
      return children;
    }
    return [
      {
        path,
        title: part.title ?? name,
        description: (part.description ?? '').replaceAll('`', ''),
        example: exampleText(part.examples?.[0]),
        group,
        widget: children.length ? 'group' : (hint?.widget ?? 'text'),
        type: part.type ?? 'string',
        required: schema.required?.includes(name) ?? false,
        choices: hint?.choices ?? (part.enum ?? []).map(String),
        minimum: part.minimum,
        maximum: part.maximum,
        children
      }
    ];
  });
}

function exampleText(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** Follow `$ref`, and take of `X or null` the X; what stands beside the reference wins. */
function resolve(schema: ISchema, root: ISchema): ISchema {
  const inner = schema.anyOf?.find(one => one.type !== 'null');
  if (inner) {
    return { ...resolve(inner, root), ...schema };
  }
  const name = schema.$ref?.split('/').pop();
  return name ? { ...root.$defs?.[name], ...schema } : schema;
}

/** All fields that hold a value. */
export function leaves(fields: IField[]): IField[] {
  return fields.flatMap(field => (field.children.length ? leaves(field.children) : [field]));
}

/** The request as typed; what is empty is left out, so that the server's defaults hold. */
export function buildRequest(
  fields: IField[],
  values: Values,
  fixed: { cluster: string; token: string; unused: string | null }
): CreateJobRequest {
  const request: Record<string, unknown> = { ClusterId: fixed.cluster, JobSpec: {} };
  for (const field of leaves(fields)) {
    const value = field.path === fixed.unused ? undefined : wireValue(field, values[field.path]);
    if (value === undefined || field.widget === 'cluster') {
      continue;
    }
    const names = field.path.split('.');
    const last = names.pop() ?? '';
    let place = request;
    for (const name of names) {
      place = (place[name] ??= {}) as Record<string, unknown>;
    }
    place[last] = value;
  }
  return { ...request, ClientToken: fixed.token } as CreateJobRequest;
}

function wireValue(field: IField, value: Value | undefined): unknown {
  if (Array.isArray(value)) {
    const rows = value.filter(row => row.name.trim() || row.value);
    return rows.length ? JSON.stringify(rows.map(row => ({ Name: row.name.trim(), Value: row.value }))) : undefined;
  }
  if (typeof value === 'boolean' || value === undefined) {
    return value;
  }
  if (!value.trim()) {
    return undefined;
  }
  const isNumber = field.type === 'integer' || field.type === 'number';
  return isNumber && Number.isFinite(Number(value)) ? Number(value) : value;
}

/** The field that an error's path belongs to: itself, or the nearest that encloses it. */
export function fieldFor(path: string, known: ReadonlySet<string>): string | null {
  const names = path.split('.');
  while (names.length) {
    const candidate = names.join('.');
    if (known.has(candidate)) {
      return candidate;
    }
    names.pop();
  }
  return null;
}
