import type { Table, TableColumn } from '../kubernetes/table.ts';
import type { FeedKey } from '../pubsub/feed-key.ts';
import { builder } from './builder.ts';
import type { Context } from './context.ts';

/** Pages of a table that are fetched for the cells of one answer; rows beyond them have none. */
const MAX_PAGES = 10;

/** A row of one object. */
export interface Row {
  readonly id: string;
  readonly cells: readonly unknown[] | undefined;
}

export const K8sTableColumn = builder.objectRef<TableColumn>('K8sTableColumn').implement({
  description: "A column that kubectl prints a kind with: built in, or from its definition's additionalPrinterColumns.",
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Its heading.' }),
    type: t.exposeString('type', { description: 'integer, number, string, boolean or date.' }),
    description: t.exposeString('description', {
      nullable: true,
      description: 'What it shows. Null when nobody wrote that down.',
    }),
    priority: t.exposeInt('priority', {
      description: '0 for those that are always printed; others come with `-o wide`.',
    }),
  }),
});

export const K8sTableRow = builder.objectRef<Row>('K8sTableRow').implement({
  description: 'The cells of one object.',
  fields: (t) => ({
    id: t.exposeID('id', { description: "The object's metadata.uid." }),
    cells: t.field({
      type: 'JSON',
      nullable: true,
      description:
        'A value for each column, in their order. Null when the cluster printed none: the object came after, or too many are before it.',
      resolve: (row) => row.cells,
    }),
  }),
});

/** The columns alone: one page says them. */
export function firstPage(key: FeedKey, context: Context): Promise<Table> {
  return context.gate.clusters.table(context.viewer(), key, { withObjects: false });
}

/** The cells of these objects, from as many pages as it takes. */
export async function cellsOf(
  ids: readonly string[],
  first: Promise<Table>,
  key: FeedKey,
  context: Context,
): Promise<Row[]> {
  const missing = new Set(ids);
  const cells = new Map<string, readonly unknown[]>();
  let page: Table | undefined = await first;
  for (let pages = 1; page !== undefined; pages += 1) {
    for (const [id, row] of page.cells) if (missing.delete(id)) cells.set(id, row);
    const { continueToken }: Table = page;
    if (missing.size === 0 || continueToken === undefined || pages >= MAX_PAGES) break;
    page = await context.gate.clusters.table(context.viewer(), key, { withObjects: false, continueToken });
  }
  return ids.map((id) => ({ id, cells: cells.get(id) }));
}
