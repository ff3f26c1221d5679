import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Json, Leaderboard, LeaderboardChoices, LeaderboardRow, LeaderboardScope } from '../contract/payloads.js';
import { count, duration, json, meanWithInterval, NONE } from './format.js';
import { Above, Answer, PageTitle, ScrollBox } from './parts.js';
import { requests } from './requests.js';
import type { LeaderboardSearch } from './search.js';

const route = getRouteApi('/leaderboard');

/** Paths that are shown before any are chosen, of those that have more than one value. */
const PATHS_AT_FIRST = 4;

const GROUPINGS: Readonly<Record<string, string>> = {
  trial: 'everything except the seed',
  run: 'nothing: every run alone',
  variant: 'variant',
  experiment: 'experiment',
  seed: 'seed',
};

/** The runs of all experiments, or of one, that were measured alike: grouped, ordered and paged by the server. */
export function LeaderboardPage(): ReactNode {
  const { scope, experiment } = route.useSearch();
  const answer = useQuery({ ...requests.leaderboardChoices({ scope, experiment }), placeholderData: keepPreviousData });
  return (
    <>
      <Above experiments={experiment === undefined ? [] : [experiment]}>
        {experiment !== undefined && (
          <Link to="/experiments/$name/slices" params={{ name: experiment }}>
            Slices
          </Link>
        )}
      </Above>
      <PageTitle title={experiment === undefined ? 'Leaderboard' : `Leaderboard of ${experiment}`} />
      <Answer of={answer}>{(choices) => <Board choices={choices} />}</Answer>
    </>
  );
}

function Board({ choices }: { readonly choices: LeaderboardChoices }) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  /** Anything but another page begins at the first page. */
  const show = (change: LeaderboardSearch) =>
    void navigate({
      search: (before) => ({ ...before, page: undefined, ...change }),
      replace: true,
      resetScroll: false,
    });
  const metrics = search.metrics ?? choices.columns;
  const paths =
    search.paths ??
    choices.paths
      .filter(({ path, values }) => values > 1 && search.group?.includes(path) !== true)
      .slice(0, PATHS_AT_FIRST)
      .map(({ path }) => path);
  const answer = useQuery({
    ...requests.leaderboard({
      scope: search.scope,
      experiment: search.experiment,
      group: search.group,
      metric: metrics,
      path: paths,
      filter: search.filter,
      sort: search.sort,
      order: search.order,
      page: search.page,
    }),
    placeholderData: keepPreviousData,
  });
  return (
    <>
      <p className="lead muted">{scopeText(choices.scope)}</p>
      <div className="fields">
        {choices.scopes.length > 1 && (
          <Select
            label="Data and protocol"
            value={choices.scope.id}
            options={choices.scopes.map((scope) => [scope.id, scopeText(scope)])}
            onChange={(scope) =>
              show({ scope, experiment: undefined, sort: undefined, metrics: undefined, paths: undefined })
            }
          />
        )}
        <Select
          label="Experiment"
          value={search.experiment ?? ''}
          options={[['', 'every experiment'], ...choices.scope.experiments.map((name) => [name, name] as const)]}
          onChange={(experiment) => show({ experiment: experiment || undefined })}
        />
        <Groupings group={search.group ?? ['trial']} choices={choices} onChange={(group) => show({ group })} />
        <label className="field">
          Filter
          <input
            type="search"
            value={search.filter ?? ''}
            aria-describedby="filter-help"
            onChange={({ target }) => show({ filter: target.value || undefined })}
          />
        </label>
      </div>
      <p className="muted note" id="filter-help">
        A filter is words that all must hold: a text of the variant, experiment or settings, or a comparison such as{' '}
        <code>model.output_dim=32</code>, <code>test/ndcg@10&gt;0.3</code> or <code>status=failed</code>.
      </p>
      <Columns
        choices={choices}
        metrics={metrics}
        paths={paths}
        onMetrics={(next) => show({ metrics: next, sort: undefined, order: undefined })}
        onPaths={(next) => show({ paths: next })}
      />
      <Answer of={answer}>
        {(board) => (
          <Groups
            board={board}
            metrics={metrics}
            paths={paths}
            lowerIsBetter={choices.lowerIsBetter}
            isStale={answer.isPlaceholderData}
            onSort={(sort, order) => show({ sort, order })}
            onPage={(page) => show({ page: page === 1 ? undefined : String(page) })}
          />
        )}
      </Answer>
    </>
  );
}

function scopeText({ dataset, fingerprint, protocol }: LeaderboardScope): string {
  const rules = Object.entries(protocol as Readonly<Record<string, Json>>)
    .filter(([rule]) => rule !== 'dataset' && rule !== 'fingerprint')
    .map(([rule, value]) => `${rule} ${json(value)}`);
  return [dataset, `data ${fingerprint.slice(0, 8)}`, ...rules].join(' · ');
}

function Select({
  label,
  value,
  options,
  onChange,
}: {
  readonly label: string;
  readonly value: string;
  readonly options: readonly (readonly [value: string, text: string])[];
  readonly onChange: (value: string) => void;
}) {
  return (
    <label className="field">
      {label}
      <select value={value} onChange={({ target }) => onChange(target.value)}>
        {options.map(([id, text]) => (
          <option key={id} value={id}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

/** By what runs are put together, and by what further. */
function Groupings({
  group,
  choices,
  onChange,
}: {
  readonly group: readonly string[];
  readonly choices: LeaderboardChoices;
  readonly onChange: (group: readonly string[] | undefined) => void;
}) {
  const [first = 'trial', second = ''] = group;
  const paths = choices.paths.filter(({ values }) => values > 1).map(({ path }) => [path, path] as const);
  const named = Object.entries(GROUPINGS);
  const isWhole = first === 'trial' || first === 'run';
  return (
    <>
      <Select
        label="Group by"
        value={first}
        options={[...named, ...paths]}
        onChange={(next) => onChange(next === 'trial' ? undefined : [next])}
      />
      {!isWhole && (
        <Select
          label="and by"
          value={second}
          options={[
            ['', 'nothing else'],
            ...named.filter(([name]) => name !== 'trial' && name !== 'run' && name !== first),
            ...paths.filter(([path]) => path !== first),
          ]}
          onChange={(next) => onChange(next === '' ? [first] : [first, next])}
        />
      )}
    </>
  );
}

function Columns({
  choices,
  metrics,
  paths,
  onMetrics,
  onPaths,
}: {
  readonly choices: LeaderboardChoices;
  readonly metrics: readonly string[];
  readonly paths: readonly string[];
  readonly onMetrics: (metrics: readonly string[]) => void;
  readonly onPaths: (paths: readonly string[]) => void;
}) {
  const known = choices.paths.toSorted((a, b) => Number(b.values > 1) - Number(a.values > 1)).map(({ path }) => path);
  return (
    <details>
      <summary>{`Columns: ${count(metrics.length)} metrics, ${count(paths.length)} settings`}</summary>
      <div className="choices">
        <Checks legend="Metrics" all={choices.metrics} chosen={metrics} onChange={onMetrics} />
        <Checks legend="Settings" all={known} chosen={paths} onChange={onPaths} />
      </div>
    </details>
  );
}

function Checks({
  legend,
  all,
  chosen,
  onChange,
}: {
  readonly legend: string;
  readonly all: readonly string[];
  readonly chosen: readonly string[];
  readonly onChange: (chosen: readonly string[]) => void;
}) {
  return (
    <fieldset>
      <legend>{legend}</legend>
      {all.map((name) => (
        <label key={name} className="check">
          <input
            type="checkbox"
            checked={chosen.includes(name)}
            onChange={({ target }) =>
              onChange(target.checked ? [...chosen, name] : chosen.filter((other) => other !== name))
            }
          />
          <span className="wrap">{name}</span>
        </label>
      ))}
    </fieldset>
  );
}

function Groups({
  board,
  metrics,
  paths,
  lowerIsBetter,
  isStale,
  onSort,
  onPage,
}: {
  readonly board: Leaderboard;
  readonly metrics: readonly string[];
  readonly paths: readonly string[];
  readonly lowerIsBetter: readonly string[];
  readonly isStale: boolean;
  readonly onSort: (sort: string, order: 'asc' | 'desc') => void;
  readonly onPage: (page: number) => void;
}) {
  const { page = '1', ...search } = route.useSearch();
  // what was asked for last, also while the answer is on its way
  const sorted = { by: search.sort ?? board.sort, order: search.order ?? board.order };
  const pages = Math.max(1, Math.ceil(board.totalGroups / board.pageSize));
  const current = Math.min(Number(page), pages);
  const header = (id: string, { isNumber = true, text = id }: { isNumber?: boolean; text?: string } = {}) => {
    const order = sorted.by === id ? sorted.order : undefined;
    const first = lowerIsBetter.includes(id) || !isNumber ? 'asc' : 'desc';
    const next = order === undefined ? first : order === 'asc' ? 'desc' : 'asc';
    return (
      <th
        key={id}
        scope="col"
        className={isNumber ? 'number' : undefined}
        aria-sort={order === undefined ? 'none' : order === 'asc' ? 'ascending' : 'descending'}
      >
        <button type="button" className="sort" onClick={() => onSort(id, next)}>
          {text}
          <span aria-hidden="true">{order === undefined ? '' : order === 'asc' ? ' ▲' : ' ▼'}</span>
        </button>
        {lowerIsBetter.includes(id) && <small>lower is better</small>}
      </th>
    );
  };
  const isAlone = board.groupBy[0] === 'run';
  const keyColumns = board.groupBy.filter((name) => name !== 'trial' && name !== 'run');
  const numberPaths = paths.map((_, k) => board.rows.every(({ config }) => typeof config[k]?.value !== 'string'));
  return (
    <>
      <ScrollBox label="Leaderboard">
        <table className="leaderboard" aria-busy={isStale}>
          <thead>
            <tr>
              {keyColumns.length === 0
                ? header('variant', { isNumber: false, text: isAlone ? 'Run' : 'Trial' })
                : keyColumns.map((name) => header(name, { isNumber: false }))}
              {metrics.map((name) => header(name))}
              {header('runs', { text: 'n' })}
              {paths.map((path, k) => header(path, { isNumber: numberPaths[k] === true }))}
              {header('parameters', { text: 'Parameters' })}
              {header('seconds', { text: 'Mean time' })}
            </tr>
          </thead>
          <tbody>
            {board.rows.map((row) => (
              <tr key={JSON.stringify(row.keys)}>
                {keyColumns.length === 0 ? (
                  <th scope="row">
                    <TrialName row={row} isAlone={isAlone} />
                  </th>
                ) : (
                  row.keys.map((value, k) => <KeyCell key={board.groupBy[k]} isFirst={k === 0} value={value} />)
                )}
                {metrics.map((name) => {
                  const summary = row.metrics[name];
                  return (
                    <td key={name} className="number">
                      {summary === undefined ? (
                        NONE
                      ) : (
                        <data value={summary.mean}>{meanWithInterval({ ...summary, std: null, values: [] })}</data>
                      )}
                    </td>
                  );
                })}
                <td className="number">
                  {row.finished === row.runs ? count(row.runs) : `${count(row.finished)} of ${count(row.runs)}`}
                  {row.failed > 0 && <small className="problem">{`${count(row.failed)} failed`}</small>}
                </td>
                {row.config.map(({ value, distinct }, k) => (
                  <td key={paths[k]} className={numberPaths[k] ? 'number' : undefined}>
                    {distinct > 1 ? (
                      <span className="muted">{`${count(distinct)} values`}</span>
                    ) : (
                      <span className="cut">{value === null ? NONE : json(value)}</span>
                    )}
                  </td>
                ))}
                <td className="number">{row.parameterCount === null ? NONE : count(row.parameterCount)}</td>
                <td className="number">{row.seconds === null ? NONE : duration(row.seconds)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollBox>
      <nav className="pages" aria-label="Pages">
        <button type="button" disabled={current <= 1} onClick={() => onPage(current - 1)}>
          Previous
        </button>
        <span role="status">
          {board.totalGroups === 0
            ? 'No run fits the filter.'
            : `Page ${count(current)} of ${count(pages)}: ${count(board.totalGroups)} rows of ${count(board.totalRuns)} runs`}
        </span>
        <button type="button" disabled={current >= pages} onClick={() => onPage(current + 1)}>
          Next
        </button>
      </nav>
      <p className="muted note">
        Mean over the n finished runs of a row ± half of the 95 % t interval. Only runs with the same data and protocol
        stand here.
      </p>
    </>
  );
}

/** A run by its number; a trial by its variant, leading to its runs. */
function TrialName({ row, isAlone }: { readonly row: LeaderboardRow; readonly isAlone: boolean }) {
  const name = row.variants.join(', ');
  if (isAlone || row.runs === 1) {
    return (
      <>
        <Link to="/runs/$id" params={{ id: String(row.runId) }}>{`run ${row.runId}`}</Link>{' '}
        <span className="name">{name}</span>
      </>
    );
  }
  return (
    <Link
      to="/leaderboard"
      search={(before) => ({
        ...before,
        group: ['run'],
        filter: `trial=${json(row.keys[0])}`,
        page: undefined,
      })}
    >
      <span className="name">{name}</span>
    </Link>
  );
}

function KeyCell({ isFirst, value }: { readonly isFirst: boolean; readonly value: Json }) {
  const text = value === null ? NONE : json(value);
  return isFirst ? <th scope="row">{text}</th> : <td>{text}</td>;
}
