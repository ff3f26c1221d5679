import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import type { ItemView, ListedItem, TargetView, UserPair, UserView } from '../contract/payloads.js';
import { count, NONE } from './format.js';
import { Answer, ScrollBox, Section } from './parts.js';
import { requests } from './requests.js';

/** What two runs recommend to one user, beside what was to be found and what the user had before. */
export function OneUser({
  pair: { a, b },
  user,
  titles,
  takesFocus,
}: {
  readonly pair: UserPair;
  readonly user: string;
  readonly titles: { readonly a: string; readonly b: string };
  /** Whether the reader has just asked for this user, so that the keyboard goes on here. */
  readonly takesFocus: boolean;
}) {
  const part = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (takesFocus) part.current?.focus();
  }, [takesFocus, user]);
  return (
    <div ref={part} tabIndex={-1} className="target">
      <Section title={`User ${user}`}>
        <Answer of={useQuery(requests.user(String(a.id), String(b.id), user))}>
          {(view) => <View of={view} titles={titles} />}
        </Answer>
      </Section>
    </div>
  );
}

function View({
  of: { targets, lists, history, historyLength },
  titles,
}: {
  readonly of: UserView;
  readonly titles: { readonly a: string; readonly b: string };
}) {
  return (
    <>
      <h3>To find</h3>
      <ScrollBox label="To find">
        <table>
          <thead>
            <tr>
              <th scope="col">Item</th>
              <th scope="col" className="number">
                Rank in A
              </th>
              <th scope="col" className="number">
                Rank in B
              </th>
              <th scope="col">{`In the first ${count(Math.max(lists.a.length, lists.b.length))}`}</th>
            </tr>
          </thead>
          <tbody>
            {targets.map((target) => (
              <tr key={target.item}>
                <th scope="row">
                  <Item of={target} />
                </th>
                <td className="number">{rank(target.a, lists.a)}</td>
                <td className="number">{rank(target.b, lists.b)}</td>
                <td>{foundBy(target, lists)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollBox>
      <div className="sides">
        <List title={titles.a} items={lists.a} other="B" />
        <List title={titles.b} items={lists.b} other="A" />
      </div>
      <h3>{`History: ${historyLength === 0 ? 'none' : `${count(historyLength)} items${history.length < historyLength ? `, the newest ${count(history.length)}` : ''}`}`}</h3>
      {history.length > 0 && (
        <ScrollBox label="History, newest first" tall>
          <ol className="items">
            {history.map((item, k) => (
              <li key={k}>
                <Item of={item} />
              </li>
            ))}
          </ol>
        </ScrollBox>
      )}
    </>
  );
}

/** The rank, or that it is beyond a list of which no more was kept. */
function rank(value: number | null, list: readonly ListedItem[]): string {
  if (value === null) return list.length === 0 ? NONE : `beyond ${count(list.length)}`;
  return Number.isInteger(value) ? count(value) : `${count(value)} (tie)`;
}

function foundBy({ item }: TargetView, { a, b }: UserView['lists']): string {
  const [inA, inB] = [a, b].map((list) => list.some((listed) => listed.item === item));
  if (inA && inB) return '✓ A and B';
  return inA ? '✓ only A' : inB ? '✓ only B' : 'neither';
}

function List({
  title,
  items,
  other,
}: {
  readonly title: string;
  readonly items: readonly ListedItem[];
  readonly other: 'A' | 'B';
}) {
  const hits = items.filter(({ isHit }) => isHit).length;
  return (
    <div>
      <h3>{title}</h3>
      <p className="muted note">{hits === 0 ? 'No hit.' : hits === 1 ? '1 hit.' : `${count(hits)} hits.`}</p>
      <ScrollBox label={`Recommended by ${title}`}>
        <ol className="items">
          {items.map((item) => (
            <li key={item.item} className={item.isHit ? 'hit' : undefined}>
              <Item of={item} />
              {item.isHit && <strong className="better">✓ hit</strong>}
              {!item.isInOther && <small>{item.isHit ? `which ${other} does not list` : `not in ${other}`}</small>}
            </li>
          ))}
        </ol>
      </ScrollBox>
    </div>
  );
}

function Item({ of: { item, title, category, count: interactions } }: { readonly of: ItemView }) {
  const facts = [
    title === null ? '' : `item ${item}`,
    category === null ? '' : `category ${category}`,
    `${count(interactions)} in training`,
  ].filter((text) => text !== '');
  return (
    <span>
      {title ?? `item ${item}`} <small className="muted">{facts.join(' · ')}</small>
    </span>
  );
}
