/**
 * `mm logs`: the system's log as readable lines, of all or of one service, and with `-f` what is added to it, also after
 * it was moved aside.
 */
import { statSync, watch } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Command } from 'commander'
import { coded } from '../modules/lib/errors.ts'
import { isLineOf, LOG_LEVELS, readLogLine } from '../modules/lib/log-lines.ts'
import { prints, type Cli } from './common.ts'
import { LogReader } from './log-files.ts'
import { dim, print } from './output.ts'

const LEVELS: Record<string, number> = LOG_LEVELS
const SHOWN: Record<number, string> = { 20: 'DEBUG', 30: 'INFO', 40: 'WARN', 50: 'ERROR' }
const POLL_MS = 500

interface LogOptions {
  /** how many of the lines that are there */
  lines: number
  follow: boolean
  json: boolean
  /** lowest level number shown */
  level: number
  service?: string
  signal: AbortSignal
}

async function logs(root: string, options: LogOptions): Promise<void> {
  const path = join(root, 'runtime', 'logs', 'mm.log')
  if (statSync(path, { throwIfNoEntry: false }) === undefined)
    throw coded('file_missing', { path: 'runtime/logs/mm.log' })
  const log = new LogReader(path)
  try {
    for (const text of lastLines(log, options)) print(text)
    if (options.follow) await follow(path, log, options)
  } finally {
    log.close()
  }
}

function lastLines(log: LogReader, options: LogOptions): string[] {
  const { lines } = options
  let last: string[] = []
  const keep = (text: string | undefined): void => {
    if (text === undefined) return
    last.push(text)
    if (last.length > lines) last.shift()
  }
  log.read((line) => keep(shown(line, options)))
  if (last.length === lines) return last
  log.older((older) => {
    const newer = last
    last = []
    for (const line of older) keep(shown(line, options))
    last = [...last, ...newer].slice(-lines)
    return last.length < lines
  })
  return last
}

/** What is printed for a line of the file; undefined for one that is none of the system's, or that was not asked for. */
function shown(line: string, options: LogOptions): string | undefined {
  const entry = readLogLine(line)
  if (entry === undefined || entry.level < options.level) return undefined
  if (options.service !== undefined && !isLineOf(options.service, entry)) return undefined
  if (options.json) return line
  const { level, time, msg, stack } = entry
  const clock = new Date(time).toISOString().slice(11, 23)
  return `${clock} ${SHOWN[level] ?? '?'}  ${msg}${stack === undefined ? '' : `\n${stack}`}`
}

async function follow(path: string, log: LogReader, options: LogOptions): Promise<void> {
  const read = (): void => {
    log.readOn(
      (line) => {
        const text = shown(line, options)
        if (text !== undefined) print(text)
      },
      () => process.stderr.write(`${dim('lines are missing here: the log was moved away faster than it was read')}\n`),
    )
  }
  // The folder, not the file: a watch on a file goes with it when it is moved aside.
  const watcher = watch(dirname(path), read)
  const poll = setInterval(read, POLL_MS)
  read()
  await new Promise<void>((resolve) => {
    options.signal.addEventListener('abort', () => resolve(), { once: true })
  })
  watcher.close()
  clearInterval(poll)
}

export function addLogs(program: Command, { common }: Cli): void {
  prints(
    program
      .command('logs')
      .description('read the log')
      .option('-f, --follow', 'wait for more', false)
      .option('-n, --lines <number>', 'how many lines', '50')
      .option('--level <name>', 'debug, info, warn or error', 'info')
      .option('--service <service>', 'only what one service says, and what the kernel says of it')
      .action(async (options: { follow: boolean; lines: string; level: string; service?: string }) => {
        const level = LEVELS[options.level]
        const lines = Number(options.lines)
        if (level === undefined || !(lines >= 0))
          throw coded('usage', { reason: '--level is debug, info, warn or error; --lines is a number' })
        const stop = new AbortController()
        process.once('SIGINT', () => stop.abort())
        process.once('SIGTERM', () => stop.abort())
        await logs(common().root, { ...options, level, lines, json: common().json, signal: stop.signal })
      }),
    'the lines as they stand in the file, one JSON object a line: {level, time, msg, service?, code?, stack?}',
  )
}
