import { useState, type ReactNode } from 'react';
import { Icon, ICONS } from './small-parts.tsx';
import type { Tone } from './tone.ts';

export interface Group {
  readonly name: string;
  readonly tone: Tone;
}

const TONES: readonly Tone[] = ['bad', 'busy', 'idle', 'good'];

interface Filterable<Item> {
  readonly items: readonly Item[];
  readonly groupOf: (item: Item) => Group;
  readonly textOf: (item: Item) => string;
  readonly noun: string;
  readonly children: (items: readonly Item[]) => ReactNode;
}

/** Search and counts above a table. Counts are of everything; a count, pressed, is a filter. */
export function Filtered<Item>({ items, groupOf, textOf, noun, children }: Filterable<Item>) {
  const [search, setSearch] = useState('');
  const [chosen, setChosen] = useState<string>();
  const groupsOfItems = items.map(groupOf);
  const groups = countGroups(groupsOfItems);
  const group = groups.some(({ name }) => name === chosen) ? chosen : undefined;
  const wanted = search.trim().toLowerCase();
  const found = items.filter(
    (item) => (group === undefined || groupOf(item).name === group) && textOf(item).toLowerCase().includes(wanted),
  );
  return (
    <>
      <HealthBar tones={groupsOfItems.map(({ tone }) => tone)} />
      <div className="toolbar">
        <div className="chips" role="group" aria-label="Filter by status">
          {groups.map(({ name, tone, count }) => (
            <button
              key={name}
              type="button"
              className="chip"
              data-tone={tone}
              aria-pressed={group === name}
              onClick={() => setChosen(group === name ? undefined : name)}
            >
              <i aria-hidden="true" />
              {name} <b>{count}</b>
            </button>
          ))}
        </div>
        <label className="search">
          <Icon path={ICONS.search} />
          <input
            type="search"
            placeholder={`Find ${noun}`}
            aria-label={`Find ${noun}`}
            value={search}
            onChange={({ target }) => setSearch(target.value)}
          />
        </label>
      </div>
      {found.length > 0 ? children(found) : <p className="nothing">No {noun} match.</p>}
    </>
  );
}

/** How much of it is well, at a glance. */
function HealthBar({ tones }: { readonly tones: readonly Tone[] }) {
  const counts = TONES.map((tone) => ({ tone, count: tones.filter((each) => each === tone).length }));
  return (
    <div className="health-bar" aria-hidden="true">
      {counts.map(
        ({ tone, count }) => count > 0 && <i key={tone} data-tone={tone} style={{ flexGrow: count / tones.length }} />,
      )}
    </div>
  );
}

interface Counted extends Group {
  readonly count: number;
}

/** The worst first, then by name. A group has the tone of most in it: a pod that starts does not colour all that run. */
function countGroups(groups: readonly Group[]): Counted[] {
  return [...Map.groupBy(groups, ({ name }) => name)]
    .map(([name, members]) => ({ name, count: members.length, tone: mostFrequent(members.map(({ tone }) => tone)) }))
    .toSorted(
      (left, right) => TONES.indexOf(left.tone) - TONES.indexOf(right.tone) || left.name.localeCompare(right.name),
    );
}

function mostFrequent(tones: readonly Tone[]): Tone {
  const counted = TONES.map((tone) => ({ tone, count: tones.filter((each) => each === tone).length }));
  return counted.toSorted((left, right) => right.count - left.count)[0]?.tone ?? 'idle';
}
