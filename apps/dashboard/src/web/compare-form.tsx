import { useNavigate } from '@tanstack/react-router';

/** Leads to what differs between a run and another, or to what they do for the same users. */
export function CompareForm({ id }: { readonly id: number }) {
  const navigate = useNavigate();
  const submit = (form: HTMLFormElement, to: '/runs/$id/diff/$other' | '/runs/$id/users/$other') => {
    const other = new FormData(form).get('other');
    if (typeof other === 'string') void navigate({ to, params: { id: String(id), other } });
  };
  return (
    <form
      className="actions"
      onSubmit={(event) => {
        event.preventDefault();
        const { submitter } = event.nativeEvent;
        const isOfUsers = submitter instanceof HTMLButtonElement && submitter.value === 'users';
        submit(event.currentTarget, isOfUsers ? '/runs/$id/users/$other' : '/runs/$id/diff/$other');
      }}
    >
      <label>
        Compare with run <input name="other" type="number" min={1} required />
      </label>
      <button type="submit">Compare</button>
      <button type="submit" value="users">
        Compare users
      </button>
    </form>
  );
}
