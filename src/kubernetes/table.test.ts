import { describe, expect, it } from 'vitest';
import { tableOf } from './table.ts';

const TYPE = { apiVersion: 'example.com/v1', kind: 'Widget' };
const METADATA = { name: 'one', uid: 'u-1', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };

describe('tableOf', () => {
  it('reads columns, and cells by uid', () => {
    const table = tableOf(
      {
        kind: 'Table',
        metadata: { continue: 'next' },
        columnDefinitions: [
          { name: 'Name', type: 'string', description: 'Its name.', priority: 0 },
          { name: 'Age', priority: 1 },
        ],
        rows: [{ cells: ['one', '5d'], object: { kind: 'PartialObjectMetadata', metadata: METADATA } }],
      },
      TYPE,
    );
    expect(table?.columns).toEqual([
      { name: 'Name', type: 'string', description: 'Its name.', priority: 0 },
      { name: 'Age', type: 'string', description: undefined, priority: 1 },
    ]);
    expect(table?.cells.get('u-1')).toEqual(['one', '5d']);
    expect(table?.objects).toEqual([]);
    expect(table?.continueToken).toBe('next');
  });

  it('reads the objects where they came along, trimmed', () => {
    const metadata = { ...METADATA, managedFields: [{}] };
    const table = tableOf({ kind: 'Table', rows: [{ cells: [], object: { ...TYPE, metadata } }] }, TYPE);
    expect(table?.objects).toEqual([{ ...TYPE, metadata: METADATA }]);
  });

  it('takes a plain list for a table without columns', () => {
    const table = tableOf({ kind: 'WidgetList', items: [{ metadata: METADATA }, { metadata: {} }, null] }, TYPE);
    expect(table).toMatchObject({ columns: [], objects: [{ ...TYPE, metadata: METADATA }] });
  });

  it('is undefined for anything else', () => {
    for (const body of [null, 'x', [], { kind: 'Status' }]) expect(tableOf(body, TYPE)).toBeUndefined();
  });
});
