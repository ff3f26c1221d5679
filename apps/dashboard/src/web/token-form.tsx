import { type ReactNode, useState } from 'react';
import { follow } from './live.js';
import { PageTitle } from './parts.js';
import { openSession } from './session.js';

/** Asks for the token that the dashboard was started with. */
export function TokenForm(): ReactNode {
  const [problem, setProblem] = useState<string | null>(null);
  const submit = (form: HTMLFormElement) => {
    const token = new FormData(form).get('token');
    if (typeof token !== 'string') return;
    openSession(token.trim()).then(follow, (error: unknown) =>
      setProblem(error instanceof Error ? error.message : String(error)),
    );
  };
  return (
    <div className="notice">
      <PageTitle title="This dashboard needs its token" />
      <p>
        It is in the address that the server printed when it was started, and in its environment as TOWERBENCH_TOKEN.
      </p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          submit(event.currentTarget);
        }}
      >
        <label className="field">
          Token
          <input name="token" type="password" autoComplete="current-password" required />
          <button type="submit">Open</button>
        </label>
      </form>
      {problem !== null && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}
