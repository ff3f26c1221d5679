import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import type { PairedRun, UserPair, UserValues } from '../contract/payloads.js';
import { count, metric as metricText } from './format.js';
import { Above, Answer, PageTitle, ScrollBox, Section, SeriesSelect } from './parts.js';
import { requests } from './requests.js';
import { RunSelect } from './run-select.js';
import type { UsersSearch } from './search.js';
import { OneUser } from './one-user.js';

const route = getRouteApi('/runs/$id/users/$other');

/** What two runs do for the same users: between whom they differ most, and what each recommends to one. */
export function UsersPage(): ReactNode {
  const { id, other } = route.useParams();
  const { metric, user } = route.useSearch();
  const answer = useQuery(requests.userPair(id, other, metric ?? null));
  return (
    <>
      <Above>
        <Link to="/runs/$id" params={{ id }}>{`Run ${id}`}</Link>
        <Link to="/runs/$id" params={{ id: other }}>{`Run ${other}`}</Link>
        <Link to="/runs/$id/diff/$other" params={{ id, other }}>
          What differs
        </Link>
      </Above>
      <PageTitle title={`Users of run ${id} and run ${other}`} />
      <Answer of={answer}>{(pair) => <Pair pair={pair} user={user} />}</Answer>
    </>
  );
}

/** `gate, seed 1 (run 7)`. */
const nameOf = ({ id, variant, seed }: PairedRun): string => `${variant}, seed ${seed} (run ${id})`;

function Pair({ pair, user }: { readonly pair: UserPair; readonly user: string | undefined }) {
  const navigate = route.useNavigate();
  const show = (change: UsersSearch) =>
    void navigate({ search: (before) => ({ ...before, ...change }), replace: true, resetScroll: false });
  // a user from the address alone does not take the focus
  const [asked, setAsked] = useState<string>();
  const { a, b, metric, metrics, numUsers, every, hasOwnIds, greater, most } = pair;
  const titles = { a: `A: ${nameOf(a)}`, b: `B: ${nameOf(b)}` };
  return (
    <>
      <div className="fields">
        <RunSelect
          label="A"
          run={a}
          onChange={(id) => void navigate({ params: (before) => ({ ...before, id }), search: true })}
        />
        <RunSelect
          label="B"
          run={b}
          onChange={(other) => void navigate({ params: (before) => ({ ...before, other }), search: true })}
        />
        <SeriesSelect label="Metric" series={metric} all={metrics} onChange={(next) => show({ metric: next })} />
      </div>
      <form
        className="actions"
        onSubmit={(event) => {
          event.preventDefault();
          const text = new FormData(event.currentTarget).get('user');
          if (typeof text !== 'string') return;
          setAsked(text);
          show({ user: text });
        }}
      >
        <label>
          User{' '}
          <input
            key={user}
            name="user"
            type="search"
            autoComplete="off"
            spellCheck={false}
            required
            defaultValue={user}
          />
        </label>
        <button type="submit">Show</button>
      </form>
      <p className="muted note">
        {hasOwnIds
          ? 'Users and items go by the ids of the data, numbers from 1 where it has no others.'
          : 'Users and items go by their numbers in the prepared data, from 0: these runs have kept no ids.'}
        {every > 1 && ` Lists were kept of one test user in ${every}.`}
      </p>
      {user !== undefined && <OneUser pair={pair} user={user} titles={titles} takesFocus={asked === user} />}
      <Section title="Where they differ most">
        <p className="lead muted">
          {`Of ${count(numUsers)} test users A has the greater ${metric} for ${count(greater.a)}, B for ${count(greater.b)}; for ${count(greater.neither)} they are equal.`}
        </p>
        <div className="sides">
          <Furthest title={`Where A is ahead: ${nameOf(a)}`} users={most.a} onAsked={setAsked} shown={user} />
          <Furthest title={`Where B is ahead: ${nameOf(b)}`} users={most.b} onAsked={setAsked} shown={user} />
        </div>
      </Section>
    </>
  );
}

function Furthest({
  title,
  users,
  shown,
  onAsked,
}: {
  readonly title: string;
  readonly users: readonly UserValues[];
  readonly shown: string | undefined;
  readonly onAsked: (user: string) => void;
}) {
  return (
    <div>
      <h3>{title}</h3>
      {users.length === 0 ? (
        <p className="muted">For no user.</p>
      ) : (
        <ScrollBox label={title} tall>
          <table>
            <thead>
              <tr>
                <th scope="col">User</th>
                {['A', 'B', 'Difference'].map((name) => (
                  <th key={name} scope="col" className="number">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {users.map(({ user, a, b }) => (
                <tr key={user}>
                  <th scope="row">
                    <Link
                      from={route.id}
                      to="."
                      search={(before) => ({ ...before, user })}
                      replace
                      resetScroll={false}
                      aria-current={shown === user ? 'true' : undefined}
                      onClick={() => onAsked(user)}
                    >
                      {`user ${user}`}
                    </Link>
                  </th>
                  <td className="number">{metricText(a)}</td>
                  <td className="number">{metricText(b)}</td>
                  <td className="number">{`${b > a ? '+' : ''}${metricText(b - a)}`}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollBox>
      )}
    </div>
  );
}
