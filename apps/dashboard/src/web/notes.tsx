import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { type Inline, parseMarkdown } from './markdown.js';
import { Section } from './parts.js';
import { change } from './requests.js';

/** Notes in Markdown, which can be changed where they stand. */
export function Notes({ text, address }: { readonly text: string; readonly address: string }) {
  const [draft, setDraft] = useState<string | null>(null);
  const save = useMutation({
    mutationFn: (next: string) => change(address, { text: next }),
    onSuccess: () => setDraft(null),
  });
  return (
    <Section title="Notes">
      {draft === null ? (
        <>
          <Markdown text={text} />
          <div className="actions">
            <button type="button" onClick={() => setDraft(text)}>
              {text === '' ? 'Write notes' : 'Change notes'}
            </button>
          </div>
        </>
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            save.mutate(draft);
          }}
        >
          <label>
            <span className="muted note">Notes in Markdown</span>
            <textarea rows={8} maxLength={20_000} value={draft} onChange={({ target }) => setDraft(target.value)} />
          </label>
          <div className="actions">
            <button type="submit" disabled={save.isPending}>
              Save
            </button>
            <button type="button" onClick={() => setDraft(null)}>
              Cancel
            </button>
          </div>
        </form>
      )}
      {save.error !== null && (
        <p className="problem" role="alert">
          {save.error.message}
        </p>
      )}
    </Section>
  );
}

function Markdown({ text }: { readonly text: string }) {
  if (text.trim() === '') return <p className="muted">None yet.</p>;
  return (
    <div className="lead">
      {parseMarkdown(text).map((block, k) => {
        if (block.kind === 'heading') return <h3 key={k}>{spans(block.content)}</h3>;
        if (block.kind === 'paragraph') return <p key={k}>{spans(block.content)}</p>;
        if (block.kind === 'code') return <pre key={k}>{block.text}</pre>;
        return (
          <ul key={k}>
            {block.items.map((item, i) => (
              <li key={i}>{spans(item)}</li>
            ))}
          </ul>
        );
      })}
    </div>
  );
}

const spans = (content: readonly Inline[]) =>
  content.map(({ kind, text, href }, k) => {
    if (kind === 'strong') return <strong key={k}>{text}</strong>;
    if (kind === 'emphasis') return <em key={k}>{text}</em>;
    if (kind === 'code') return <code key={k}>{text}</code>;
    if (kind !== 'link') return text;
    return (
      <a key={k} href={href} rel="noreferrer">
        {text}
      </a>
    );
  });
