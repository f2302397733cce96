import { memo, useEffect, useRef, useState, type ReactNode } from 'react';

export interface Column<Item> {
  readonly title: string;
  readonly cell: (item: Item) => ReactNode;
  readonly kind?: 'name' | 'status' | 'number' | 'code' | 'text' | 'actions';
}

interface Row {
  readonly id: string;
}

/** More rows at once help nobody, and cost every update. */
const PAGE = 300;

export function Table<Item extends Row>({
  items,
  columns,
  label,
  selectedId,
}: {
  readonly items: readonly Item[];
  /** The same array every time, or every row is drawn again. */
  readonly columns: readonly Column<Item>[];
  readonly label: string;
  readonly selectedId?: string | undefined;
}) {
  const [limit, setLimit] = useState(PAGE);
  return (
    <div className="table-frame">
      <table aria-label={label}>
        <thead>
          <tr>
            {columns.map(({ title, kind = 'text' }) => (
              <th key={title} data-kind={kind} scope="col">
                {kind === 'actions' ? <span className="visually-hidden">{title}</span> : title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {items.slice(0, limit).map((item) => (
            <TableRow key={item.id} item={item} columns={columns} selected={item.id === selectedId} />
          ))}
        </tbody>
      </table>
      {items.length > limit && (
        <button type="button" className="more" onClick={() => setLimit(limit + PAGE)}>
          {items.length - limit} more
        </button>
      )}
    </div>
  );
}

interface RowProps<Item> {
  readonly item: Item;
  readonly columns: readonly Column<Item>[];
  readonly selected: boolean;
}

/** Drawn again only when its item is another: `applyUpdate` keeps the identity of what did not change. */
const TableRow = memo(function TableRow<Item extends Row>({ item, columns, selected }: RowProps<Item>) {
  const row = useFlash(item);
  return (
    <tr ref={row} data-selected={selected}>
      {columns.map(({ title, kind = 'text', cell }) => (
        <td key={title} data-kind={kind}>
          {cell(item)}
        </td>
      ))}
    </tr>
  );
}) as <Item extends Row>(props: RowProps<Item>) => ReactNode;

/** Lights up for a moment when `item` changes, but not when it is first shown. */
function useFlash(item: unknown) {
  const row = useRef<HTMLTableRowElement>(null);
  const before = useRef(item);
  useEffect(() => {
    if (before.current === item) return;
    before.current = item;
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
    row.current?.animate([{ backgroundColor: 'var(--flash)' }, { backgroundColor: 'transparent' }], 1_600);
  }, [item]);
  return row;
}
