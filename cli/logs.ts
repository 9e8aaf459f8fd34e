/** `mm logs`: the system's log file as readable lines, and with `-f` what is added to it, also after it was rotated. */
import { closeSync, fstatSync, openSync, readFileSync, readSync, statSync, watch } from 'node:fs'
import { join } from 'node:path'
import { coded } from '../modules/lib/errors.ts'
import { print } from './output.ts'

const LEVELS: Record<number, string> = { 20: 'DEBUG', 30: 'INFO', 40: 'WARN', 50: 'ERROR' }
const POLL_MS = 500

export interface LogOptions {
  lines: number
  follow: boolean
  json: boolean
  /** lowest level number shown */
  level: number
  signal?: AbortSignal
}

function show(line: string, options: LogOptions): void {
  if (line === '') return
  let entry: { level?: number; time?: number; msg?: string; service?: string; stack?: string }
  try {
    entry = JSON.parse(line) as typeof entry
  } catch {
    return
  }
  if ((entry.level ?? 0) < options.level) return
  if (options.json) {
    print(line)
    return
  }
  const time = new Date(entry.time ?? 0).toISOString().slice(11, 23)
  print(
    `${time} ${LEVELS[entry.level ?? 0] ?? '?'}  ${entry.msg ?? ''}${entry.stack === undefined ? '' : `\n${entry.stack}`}`,
  )
}

export async function logs(root: string, options: LogOptions): Promise<void> {
  const path = join(root, 'runtime', 'logs', 'mm.log')
  if (statSync(path, { throwIfNoEntry: false }) === undefined)
    throw coded('file_missing', { path: 'runtime/logs/mm.log' })
  const text = readFileSync(path, 'utf8')
  const all = text.split('\n').filter((line) => line !== '')
  for (const line of all.slice(-options.lines)) show(line, options)
  if (options.follow) await follow(path, Buffer.byteLength(text), options)
}

async function follow(path: string, from: number, options: LogOptions): Promise<void> {
  let file = openSync(path, 'r')
  let at = from
  let rest = ''
  const read = (): void => {
    const buffer = Buffer.alloc(65_536)
    for (
      let count = readSync(file, buffer, 0, buffer.length, at);
      count > 0;
      count = readSync(file, buffer, 0, buffer.length, at)
    ) {
      at += count
      const lines = (rest + buffer.subarray(0, count).toString('utf8')).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) show(line, options)
    }
    // The file was moved aside: go on with the new one.
    if (
      statSync(path, { throwIfNoEntry: false })?.ino !== fstatSync(file).ino &&
      statSync(path, { throwIfNoEntry: false }) !== undefined
    ) {
      closeSync(file)
      file = openSync(path, 'r')
      at = 0
    }
  }
  const watcher = watch(path, () => read())
  const poll = setInterval(read, POLL_MS)
  await new Promise<void>((resolve) => {
    options.signal?.addEventListener('abort', () => resolve(), { once: true })
  })
  watcher.close()
  clearInterval(poll)
  closeSync(file)
}
