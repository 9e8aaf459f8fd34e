/**
 * A table that may be long: more rows than `WHOLE_MAX` stand in a box that scrolls, and only those that can be seen are
 * drawn. Rows may be sorted by their columns, and picked by mouse and keyboard.
 */
import type { ComponentChildren } from 'preact'
import { useMemo, useState } from 'preact/hooks'

export interface Column<Row> {
  title: string
  cell: (row: Row) => ComponentChildren
  /** by what the rows are sorted when its heading is pressed; without it they cannot be */
  sort?: (row: Row) => string | number
  /** right-aligned, with figures of one width */
  isNumber?: boolean
  /** what names the row, for a screen reader: one column of the table */
  isHead?: boolean
  /** not shown on a phone */
  isExtra?: boolean
}

export interface TableProps<Row> {
  /** said to a screen reader */
  label: string
  columns: readonly Column<Row>[]
  rows: readonly Row[]
  keyOf: (row: Row) => string
  /** where its head cell leads, as a link */
  hrefOf?: (row: Row) => string
  /** instead of the table when there are no rows */
  empty?: ComponentChildren
  /** of rows that want to be seen */
  toneOf?: (row: Row) => 'warn' | 'bad' | undefined
}

const ROW_PX = 36
const BOX_PX = 648
const WHOLE_MAX = 100
const AROUND = 8

export function Table<Row>({ label, columns, rows, keyOf, hrefOf, empty, toneOf }: TableProps<Row>) {
  const [sorting, setSorting] = useState<{ title: string; down: boolean } | undefined>(undefined)
  const [top, setTop] = useState(0)
  const sorted = useMemo(() => sortedBy(rows, columns, sorting), [rows, columns, sorting])
  if (rows.length === 0 && empty !== undefined) return <>{empty}</>
  const isLong = rows.length > WHOLE_MAX
  // What may scroll has to be reached by the keyboard: by something in it, or itself.
  const isStop = isLong || (hrefOf === undefined && !columns.some(({ sort: by }) => by !== undefined))
  const { from, to } = isLong ? shownRows(top, sorted.length) : { from: 0, to: sorted.length }
  const sort = (title: string): void => setSorting({ title, down: sorting?.title === title && !sorting.down })
  return (
    <div
      class={isLong ? 'table-box is-long' : 'table-box'}
      tabIndex={isStop ? 0 : undefined}
      role={isStop ? 'group' : undefined}
      aria-label={isStop ? label : undefined}
      onScroll={(event) => isLong && setTop(event.currentTarget.scrollTop)}
    >
      <table class="table" aria-label={label} aria-rowcount={rows.length + 1}>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map((column) => (
              <Heading key={column.title} column={column} sorting={sorting} sort={sort} />
            ))}
          </tr>
        </thead>
        <tbody>
          <Space rows={from} columns={columns.length} />
          {sorted.slice(from, to).map((row, at) => (
            <tr
              key={keyOf(row)}
              class={toneOf?.(row) === undefined ? undefined : `is-${toneOf(row)}`}
              aria-rowindex={from + at + 2}
            >
              {columns.map((column) => (
                <Cell key={column.title} column={column} row={row} href={hrefOf?.(row)} />
              ))}
            </tr>
          ))}
          <Space rows={sorted.length - to} columns={columns.length} />
        </tbody>
      </table>
    </div>
  )
}

/** Which rows can be seen, and a few around them. */
export function shownRows(top: number, count: number): { from: number; to: number } {
  const from = Math.max(0, Math.floor(top / ROW_PX) - AROUND)
  return { from, to: Math.min(count, from + Math.ceil(BOX_PX / ROW_PX) + 2 * AROUND) }
}

export function sortedBy<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  by: { title: string; down: boolean } | undefined,
): readonly Row[] {
  const valueOf = columns.find(({ title }) => title === by?.title)?.sort
  if (by === undefined || valueOf === undefined) return rows
  const sign = by.down ? -1 : 1
  return rows
    .map((row) => ({ row, value: valueOf(row) }))
    .sort((a, b) => (a.value === b.value ? 0 : a.value < b.value ? -sign : sign))
    .map(({ row }) => row)
}

const classOf = ({ isNumber = false, isExtra = false }: Column<never>): string =>
  `${isNumber ? 'is-number' : ''} ${isExtra ? 'is-extra' : ''}`.trim()

interface HeadingProps<Row> {
  column: Column<Row>
  sorting: { title: string; down: boolean } | undefined
  sort: (title: string) => void
}

function Heading<Row>({ column, sorting, sort }: HeadingProps<Row>) {
  const { title } = column
  const isBy = sorting?.title === title
  const order = isBy ? (sorting.down ? 'descending' : 'ascending') : undefined
  return (
    <th scope="col" class={classOf(column)} aria-sort={order}>
      {column.sort === undefined ? (
        title
      ) : (
        <button type="button" class="sort" onClick={() => sort(title)}>
          {title}
          <span aria-hidden="true">{isBy ? (sorting.down ? ' ↓' : ' ↑') : ''}</span>
        </button>
      )}
    </th>
  )
}

function Cell<Row>({ column, row, href }: { column: Column<Row>; row: Row; href: string | undefined }) {
  const inner = column.cell(row)
  if (column.isHead !== true) return <td class={classOf(column)}>{inner}</td>
  return (
    <th scope="row" class={classOf(column)}>
      {href === undefined ? inner : <a href={href}>{inner}</a>}
    </th>
  )
}

/** As high as the rows that are not drawn. */
function Space({ rows, columns }: { rows: number; columns: number }) {
  if (rows <= 0) return null
  return (
    <tr aria-hidden="true" class="space">
      <td colSpan={columns} style={{ height: `${rows * ROW_PX}px` }} />
    </tr>
  )
}
