/** `console` in an isolate: lines of the service's log. */
import type { LogLevel } from '../../../contracts/seams.ts'
import type { Channel } from './channel.ts'

const LINE_CHARS_MAX = 8_192

export function createConsole(channel: Channel): object {
  const write =
    (level: LogLevel) =>
    (...values: unknown[]): void => {
      channel.tell({ tell: 'log', level, message: values.map(shown).join(' ').slice(0, LINE_CHARS_MAX) })
    }
  const nothing = (): void => {}
  return {
    debug: write('debug'),
    log: write('info'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    trace: write('debug'),
    dir: write('info'),
    table: write('info'),
    assert(good: unknown, ...values: unknown[]): void {
      if (good !== true && !good) write('error')('Assertion failed', ...values)
    },
    group: nothing,
    groupEnd: nothing,
    time: nothing,
    timeEnd: nothing,
    count: nothing,
  }
}

function shown(value: unknown): string {
  if (typeof value === 'string') return value
  if (value instanceof Error) return typeof value.stack === 'string' ? value.stack : String(value)
  try {
    return JSON.stringify(value, plain) ?? String(value)
  } catch {
    return Object.prototype.toString.call(value)
  }
}

const plain = (_key: string, value: unknown): unknown =>
  typeof value === 'bigint' || typeof value === 'function' || typeof value === 'symbol'
    ? String(value)
    : value instanceof Map || value instanceof Set
      ? [...value]
      : value
