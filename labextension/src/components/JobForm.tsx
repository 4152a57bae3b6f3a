import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { ApiError } from '../errors';
import { ALTERNATIVES, buildRequest, CLUSTER_PATH, type IField, leaves, readFields, type Value, type Values } from '../formschema';
import type { CreateJobRequest, Template } from '../generated/api';
import { templateOf, valuesOf } from '../templates';
import { CheckResult } from './CheckResult';
import { useServices } from './context';
import { Field, FieldError } from './Field';
import { Icon } from './icons';
import { Alert, Button } from './Parts';
import { Templates } from './Templates';
import { type IOutcome, useSubmit } from './useSubmit';

const ORDER = ['command', 'resources', 'output', 'more'];
const OPEN_AT_FIRST = ['command', 'resources'];

interface IJobFormProps {
  cluster: string;
  clusterName: string;
  onSubmitted: (jobId: string) => void;
  /** A template names a cluster. */
  onCluster: (cluster: string) => void;
}

/** Fetches the schema, then shows the form made of it. */
export function JobForm(props: IJobFormProps): React.JSX.Element {
  const { ehpc, trans } = useServices();
  const { api } = ehpc;
  const [fields, setFields] = React.useState<IField[] | null>(null);
  const [error, setError] = React.useState<ApiError | null>(null);
  const [round, setRound] = React.useState(0);
  React.useEffect(() => {
    api.schemas().then(
      schemas => {
        setFields(readFields(schemas.CreateJob ?? {}));
        setError(null);
      },
      (reason: unknown) => setError(ApiError.from(reason))
    );
  }, [api, round]);
  if (fields) {
    return <Form {...props} fields={fields} />;
  }
  return error ? (
    <Alert error={error} onRetry={() => setRound(round + 1)} />
  ) : (
    <p className="jp-ehpc-Muted">{trans.__('Loading the form…')}</p>
  );
}

function Form(props: IJobFormProps & { fields: IField[] }): React.JSX.Element {
  const { cluster, clusterName, fields, onSubmitted, onCluster } = props;
  const { ehpc, trans } = useServices();
  const prefix = React.useId();
  const form = React.useRef<HTMLFormElement>(null);
  const [values, setValues] = React.useState<Values>({});
  const all = React.useMemo(() => leaves(fields), [fields]);
  const pair = ALTERNATIVES.filter(path => all.some(field => field.path === path));
  const [used, setUsed] = React.useState<string>(ALTERNATIVES[0]);
  const unused = pair.length === 2 ? (pair.find(path => path !== used) ?? null) : null;
  const groups = React.useMemo(() => groupsOf(fields), [fields]);
  const [open, setOpen] = React.useState<readonly string[]>(OPEN_AT_FIRST);
  const known = React.useMemo(() => new Set([...fields, ...all].map(field => field.path)), [fields, all]);
  const { busy, problems, error, uncertain, submit, check, checked, forget } = useSubmit(ehpc.api, known);

  /** What the server says of the alternative that is not shown is said at the one that is. */
  const problemOf = (path: string, found = problems): string | undefined =>
    found.get(path) ?? (unused !== null && path === used ? found.get(unused) : undefined);

  const checkHelp = trans.__('Ask the cluster whether it would take this job, and when it would start; nothing is submitted');
  const [refusals, setRefusals] = React.useState(0);
  React.useEffect(() => {
    if (refusals) {
      form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
    }
  }, [refusals]);

  const change = (path: string, value: Value): void => {
    setValues(now => ({ ...now, [path]: value }));
    [path, ...(path === used && unused ? [unused] : [])].forEach(forget);
  };
  /** What a template does not say stays as it is. */
  const fillIn = ({ Fields }: Template): void => {
    const filled = valuesOf(all, Fields);
    setValues(now => ({ ...now, ...filled }));
    setUsed(now => pair.find(path => path in filled) ?? now);
    const touched = all.filter(field => field.path in filled);
    setOpen(now => [...new Set([...now, ...touched.map(field => field.group)])]);
    touched.forEach(field => forget(field.path));
    if (Fields[CLUSTER_PATH] !== undefined) {
      onCluster(Fields[CLUSTER_PATH]);
    }
  };
  const build = (token: string): CreateJobRequest => buildRequest(fields, values, { cluster, token, unused });
  const showProblems = ({ problems: found }: IOutcome): void => {
    const wrong = [...fields, ...all].filter(field => problemOf(field.path, found));
    setOpen(now => [...new Set([...now, ...wrong.map(field => field.group)])]);
    setRefusals(count => count + 1);
  };
  const onSubmit = async (event: React.FormEvent): Promise<void> => {
    event.preventDefault();
    const outcome = await submit(build);
    if (outcome?.jobId) {
      const secret = new Set(all.filter(field => field.widget === 'password').map(field => field.path));
      setValues(now => Object.fromEntries(Object.entries(now).filter(([path]) => !secret.has(path))));
      onSubmitted(outcome.jobId);
    } else if (outcome) {
      showProblems(outcome);
    }
  };
  const onCheck = async (): Promise<void> => {
    const outcome = await check(build);
    if (outcome && outcome.problems.size > 0) {
      showProblems(outcome);
    }
  };

  const render = (field: IField): React.ReactNode => {
    const id = `${prefix}${field.path}`;
    if (field.widget === 'cluster' || field.path === unused) {
      return null;
    }
    if (field.children.length) {
      return <FieldGroup key={field.path} field={field} id={id} error={problemOf(field.path)} render={render} />;
    }
    const input = (
      <Field
        key={field.path}
        field={field}
        id={id}
        value={values[field.path]}
        cluster={cluster}
        error={problemOf(field.path)}
        hideLabel={field.path === used && unused !== null}
        onChange={value => change(field.path, value)}
      />
    );
    return field.path === used && unused ? (
      <React.Fragment key="alternatives">
        <Alternatives fields={all.filter(one => pair.includes(one.path as never))} used={used} onChoose={setUsed} />
        {input}
      </React.Fragment>
    ) : (
      input
    );
  };

  return (
    <form ref={form} className="jp-ehpc-Form" noValidate autoComplete="off" onSubmit={event => void onSubmit(event)}>
      <Templates onUse={fillIn} fields={() => templateOf(all, values, { cluster, unused })} />
      {groups.map(group => (
        <details
          key={group}
          open={open.includes(group)}
          onToggle={event => {
            const isOpen = event.currentTarget.open;
            setOpen(now => [...now.filter(one => one !== group), ...(isOpen ? [group] : [])]);
          }}
        >
          <summary>
            <Icon name="chevron" />
            {groupTitle(group, trans)}
          </summary>
          <div className="jp-ehpc-Fields">{fields.filter(field => field.group === group).map(render)}</div>
        </details>
      ))}
      <footer>
        {error && <Alert error={error} />}
        {uncertain && (
          <p className="jp-ehpc-Muted">
            {trans.__('Whether the job was submitted is not known. Submit again as it is: it will not run twice.')}
          </p>
        )}
        <FieldError id={`${prefix}cluster-error`} text={problems.get(CLUSTER_PATH)} />
        {checked && <CheckResult {...checked} />}
        <div className="jp-ehpc-FormButtons">
          <Button disabled={busy !== null || !cluster} title={checkHelp} onClick={() => void onCheck()}>
            {busy === 'check' ? trans.__('Checking…') : trans.__('Check')}
          </Button>
          <Button type="submit" look="primary" disabled={busy !== null || !cluster}>
            {busy === 'submit' ? trans.__('Submitting to %1…', clusterName) : trans.__('Submit to %1', clusterName)}
          </Button>
        </div>
      </footer>
    </form>
  );
}

interface IFieldGroupProps {
  field: IField;
  id: string;
  error: string | undefined;
  render: (field: IField) => React.ReactNode;
}

function FieldGroup({ field, id, error, render }: IFieldGroupProps): React.JSX.Element {
  return (
    <fieldset
      className="jp-ehpc-FieldGroup"
      tabIndex={error ? -1 : undefined}
      aria-invalid={error ? true : undefined}
      aria-describedby={`${id}-error ${id}-help`}
    >
      <legend className="jp-ehpc-Hidden">{field.title}</legend>
      <FieldError id={`${id}-error`} text={error} />
      <p id={`${id}-help`} className="jp-ehpc-Help">
        {field.description}
      </p>
      <div className="jp-ehpc-Grid">{field.children.map(render)}</div>
    </fieldset>
  );
}

interface IAlternativesProps {
  fields: IField[];
  used: string;
  onChoose: (path: string) => void;
}

/** Which of two fields is to be filled in; what was typed into the other one stays. */
function Alternatives({ fields, used, onChoose }: IAlternativesProps): React.JSX.Element {
  const { trans } = useServices();
  const name = React.useId();
  return (
    <div className="jp-ehpc-Choice" role="radiogroup" aria-label={trans.__('What to run')}>
      {fields.map(field => (
        <label key={field.path}>
          <input type="radio" name={name} checked={field.path === used} onChange={() => onChoose(field.path)} />
          {field.title}
        </label>
      ))}
    </div>
  );
}

/** The usual groups in their order, then whatever else the schema names. */
function groupsOf(fields: IField[]): string[] {
  const found = new Set(fields.map(field => field.group));
  return [...ORDER.filter(group => found.delete(group)), ...found];
}

function groupTitle(group: string, trans: TranslationBundle): string {
  const titles: Record<string, string> = {
    command: trans.__('What to run'),
    resources: trans.__('Resources'),
    output: trans.__('Output files'),
    more: trans.__('More')
  };
  return titles[group] ?? group;
}
