/** What the command line prints: tables for people, JSON for scripts, errors as message and hint on stderr. */
import { describeError, toErrorData } from '../modules/lib/errors.ts'

const color = process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined

export const dim = (text: string): string => (color ? `\u001b[2m${text}\u001b[22m` : text)
export const bold = (text: string): string => (color ? `\u001b[1m${text}\u001b[22m` : text)
export const red = (text: string): string => (color ? `\u001b[31m${text}\u001b[39m` : text)

export const green = (text: string): string => (color ? `\u001b[32m${text}\u001b[39m` : text)

/** Epoch milliseconds as a person reads it, in local time: `2026-11-20 08:15:02`. */
export function clockOf(time: number): string {
  const at = new Date(time)
  const two = (value: number): string => String(value).padStart(2, '0')
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
}

export const print = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

export const printJson = (value: unknown): void => print(JSON.stringify(value, null, 2))

/** Columns a cell takes: what only colors it takes none. */
// oxlint-disable-next-line no-control-regex -- the escape is what is looked for
const widthOf = (cell: string): number => cell.replaceAll(/\u001b\[\d+m/g, '').length

/** Columns as wide as their widest cell; the last one is not padded. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows)
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, widthOf(cell))
  return rows
    .map((row) =>
      row
        .map((cell, index) =>
          index === row.length - 1 ? cell : cell + ' '.repeat((widths[index] ?? 0) - widthOf(cell)),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** One field a line; nested values as JSON. */
export function fields(value: object): string {
  const rows = Object.entries(value)
    .filter(([, one]) => one !== null && !(Array.isArray(one) && one.length === 0))
    .map(([key, one]) => [key, typeof one === 'object' ? JSON.stringify(one) : String(one)])
  return table(rows)
}

export function printError(thrown: unknown, json: boolean): void {
  const error = toErrorData(thrown)
  if (json) process.stderr.write(`${JSON.stringify({ error })}\n`)
  else process.stderr.write(`${red(describeError(error))}\n${error.hint === '' ? '' : `${error.hint}\n`}`)
}

/** Exit codes: 0 done, 1 the thing failed, 2 usage, 3 not reachable. */
export function exitCodeOf(thrown: unknown): number {
  const { code } = toErrorData(thrown)
  if (code === 'not_reachable') return 3
  return code === 'usage' ? 2 : 1
}

/** What is printed with `--json` for a movement: reload, rollback, undo. */
export const MOVED = '{ok, generation, error, rolled_back, state, from, ms, failed_calls, deferred}'

export interface ReloadLine {
  api: string
  from: number | null
  generation: number | null
  ms: number
  failed_calls: number
  state: string
}

/** `tasks/rl_trainer  g3 → g4  14 ms  0 calls failed  state lost` */
export function reloadLine({ api, from, generation, ms, failed_calls, state }: ReloadLine): string {
  const move = from === null ? `g${generation} live` : `g${from} → g${generation}`
  return [api, move, `${ms} ms`, ...(from === null ? [] : [`${failed_calls} calls failed`, `state ${state}`])].join(
    '  ',
  )
}
