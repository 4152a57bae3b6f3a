/* A job's request as a cell of a notebook. */

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
export function cellOf(request: unknown): string | null {
  const root = asObject(request);
  const spec = asObject(root?.JobSpec);
  if (!root || !spec) {
    return null;
  }
  const { Resources: resources, Variables: variables, ...rest } = spec;
  const words = [MAGIC];
  const add = (flag: string, value: string): void => {
    words.push(value.startsWith('-') ? `--${flag}=${quoted(value)}` : `--${flag} ${quoted(value)}`);
  };
  for (const [name, value] of Object.entries({ ...root, ...rest, ...asObject(resources) })) {
    if (!NO_FLAG.has(name) && (typeof value === 'string' || typeof value === 'number')) {
      add(SHORT[name] ?? flagOf(name), String(value));
    }
  }
  for (const { name, value } of variableRows(variables)) {
    add('var', `${name}=${value}`);
  }
  const script = typeof spec.Script === 'string' ? spec.Script : '';
  // A cell's last line needs no end: IPython puts one.
  return `${words.join(' ')}\n${script.replace(/\n$/, '')}`;
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

const LETTERS: Record<string, string> = { '\n': '\\n', '\t': '\\t', '\r': '\\r', '\\': '\\\\', "'": "\\'" };

/** Characters that cannot be told from others, or not be seen at all. */
const UNSEEN = /[^\P{C}]|[^\P{Z} ]/u;

/** A word of the magic's line, which is one line whatever is in it; what cannot be seen is written as bash's `$'a\nb'`. */
function quoted(value: string): string {
  if (UNSEEN.test(value)) {
    const written = Array.from(value, char => LETTERS[char] ?? (UNSEEN.test(char) ? code(char) : char));
    return `$'${written.join('')}'`;
  }
  return /^[\w@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", `'"'"'`)}'`;
}

function code(char: string): string {
  const hex = (char.codePointAt(0) ?? 0).toString(16);
  return hex.length <= 4 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}
