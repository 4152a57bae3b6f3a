/* A job's request as a cell of a notebook. */

/** A cell that submits the job again, and the fields that no flag can hold. */
export interface ICell {
  source: string;
  lost: string[];
}

const MAGIC = '%%ehpc';

/** Where people call a field by a shorter name than the model does; the flags do, too. */
const SHORT: Record<string, string> = { ClusterId: 'cluster', JobName: 'name' };

/** Said by the cell below the flags, of one submission alone, or a secret. */
const NO_FLAG = new Set(['Script', 'ClientToken', 'RunasUserPassword']);

/** Whether a cell's source submits a job. */
export function isJobCell(source: string): boolean {
  return /^\s*%%ehpc\b/.test(source);
}

/** The request of CreateJob, in wire names, as a cell; null if it is none. */
export function cellOf(request: unknown): ICell | null {
  const root = asObject(request);
  const spec = asObject(root?.JobSpec);
  if (!root || !spec) {
    return null;
  }
  const { Resources: resources, Variables: variables, ...rest } = spec;
  const lost: string[] = [];
  const words = [MAGIC];
  const add = (flag: string, name: string, value: string): void => {
    if (/[\r\n\0]/.test(value)) {
      lost.push(name);
    } else {
      words.push(value.startsWith('-') ? `--${flag}=${quoted(value)}` : `--${flag} ${quoted(value)}`);
    }
  };
  for (const [name, value] of Object.entries({ ...root, ...rest, ...asObject(resources) })) {
    if (!NO_FLAG.has(name) && (typeof value === 'string' || typeof value === 'number')) {
      add(SHORT[name] ?? flagOf(name), name, String(value));
    }
  }
  for (const { name, value } of variableRows(variables)) {
    add('var', `Variables: ${name}`, `${name}=${value}`);
  }
  const script = typeof spec.Script === 'string' ? spec.Script : '';
  // A cell's last line needs no end: IPython puts one.
  return { source: `${words.join(' ')}\n${script.replace(/\n$/, '')}`, lost };
}

function asObject(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
}

/** `WallTime` is `--wall-time`. */
function flagOf(name: string): string {
  return name.replace(/(?!^)[A-Z]/g, '-$&').toLowerCase();
}

function variableRows(text: unknown): { name: string; value: string }[] {
  let rows: unknown = text;
  try {
    rows = typeof text === 'string' ? JSON.parse(text) : text;
  } catch {
    return [];
  }
  return (Array.isArray(rows) ? rows : []).map(asObject).flatMap(row =>
    typeof row?.Name === 'string' ? [{ name: row.Name, value: typeof row.Value === 'string' ? row.Value : '' }] : []
  );
}

/** A word for the magic's line: IPython first puts Python's values for `{name}` and `$name`, then it is split as a shell would. */
function quoted(value: string): string {
  const kept = value.replace(/[{}]/g, '$&$&').replace(/\$(?=[\w.])/g, '$$$$');
  return /^[\w@%+=:,./-]+$/.test(kept) ? kept : `'${kept.replaceAll("'", `'"'"'`)}'`;
}
