import { useNavigate } from '@tanstack/react-router';

/** Leads to what differs between a run and another. */
export function CompareForm({ id }: { readonly id: number }) {
  const navigate = useNavigate();
  const submit = (form: HTMLFormElement) => {
    const other = new FormData(form).get('other');
    if (typeof other === 'string') void navigate({ to: '/runs/$id/diff/$other', params: { id: String(id), other } });
  };
  return (
    <form
      className="actions"
      onSubmit={(event) => {
        event.preventDefault();
        submit(event.currentTarget);
      }}
    >
      <label>
        Compare with run <input name="other" type="number" min={1} required />
      </label>
      <button type="submit">Compare</button>
    </form>
  );
}
