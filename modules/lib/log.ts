/**
 * The system's log: everything from `debug` up as JSON lines in runtime/logs/mm.log, with a size limit, and `info`
 * (or LOG_LEVEL) and up on the terminal. Writing never throws: a full disk must not stop a service.
 */
import { appendFileSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { multistream, pino, type Level, type Logger } from 'pino'
import pretty from 'pino-pretty'
import type { Log } from '../contracts/seams.ts'

export const LOG_BYTES_MAX = 10 * 1024 * 1024
export const LOG_FILES_KEPT = 4

/** A log file that is moved aside when it is full: mm.log, mm.log.1, … */
export class RotatingFile {
  private bytes: number
  /** lines that could not be written since the last that was */
  private lost = 0
  private readonly path: string
  private readonly bytesMax: number
  private readonly kept: number

  constructor(path: string, bytesMax = LOG_BYTES_MAX, kept = LOG_FILES_KEPT) {
    this.path = path
    this.bytesMax = bytesMax
    this.kept = kept
    this.bytes = 0
    try {
      mkdirSync(dirname(path), { recursive: true })
      this.bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0
    } catch {
      // A read-only runtime/ costs the log file, not the system.
    }
  }

  write(line: string): void {
    try {
      const text = this.lost === 0 ? line : `\n${lostLine(this.lost, line)}${line}`
      const bytes = Buffer.byteLength(text)
      if (this.bytes + bytes > this.bytesMax && this.bytes > 0) this.rotate()
      this.append(text)
      this.bytes += bytes
      this.lost = 0
    } catch {
      // The terminal still has it. Nothing is kept for later: a disk may be full for days.
      this.lost++
    }
  }

  /** The folder may have been taken away, or never been made. */
  private append(text: string): void {
    try {
      appendFileSync(this.path, text)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      mkdirSync(dirname(this.path), { recursive: true })
      appendFileSync(this.path, text)
      this.bytes = 0
    }
  }

  private rotate(): void {
    rmSync(`${this.path}.${this.kept}`, { force: true })
    for (let index = this.kept - 1; index >= 1; index--) {
      if (statSync(`${this.path}.${index}`, { throwIfNoEntry: false }) !== undefined) {
        renameSync(`${this.path}.${index}`, `${this.path}.${index + 1}`)
      }
    }
    renameSync(this.path, `${this.path}.1`)
    this.bytes = 0
  }
}

/** Stands where they would have stood; the last of them may be there by half. */
function lostLine(lost: number, next: string): string {
  const time = Number(/"time":(\d+)/.exec(next)?.[1] ?? 0)
  return `${JSON.stringify({ level: 40, time, msg: `${lost} lines are missing here: they could not be written` })}\n`
}

const REDACTED = ['token', 'api_key', 'authorization', 'password', 'secret'].flatMap((name) => [name, `*.${name}`])

export function createLog(options: {
  file: string
  terminal: NodeJS.WritableStream
  level: string
  color: boolean
}): Log {
  const terminal = pretty({
    colorize: options.color,
    destination: options.terminal,
    sync: true,
    hideObject: true,
    ignore: 'pid,hostname,name',
    translateTime: 'SYS:HH:MM:ss.l',
  })
  const logger = pino(
    { level: 'debug', base: null, redact: { paths: REDACTED, censor: '[redacted]' } },
    multistream([
      { level: 'debug', stream: new RotatingFile(options.file) },
      { level: options.level as Level, stream: terminal },
    ]),
  )
  return wrap(logger)
}

function wrap(logger: Logger): Log {
  return {
    debug: (message, fields) => logger.debug(fields ?? {}, message),
    info: (message, fields) => logger.info(fields ?? {}, message),
    warn: (message, fields) => logger.warn(fields ?? {}, message),
    error: (message, fields) => logger.error(fields ?? {}, message),
    child: (name) => wrap(logger.child({ service: name })),
  }
}
