/**
 * Lines of the system's log as data. The kernel's own lines begin with the name of the service they are about; those of
 * a service carry its name. Pure; read by `mm logs` and by the HTTP API.
 */
export const LOG_LEVELS = { debug: 20, info: 30, warn: 40, error: 50 } as const
export type LogLevel = keyof typeof LOG_LEVELS

export interface LogLine {
  level: number
  /** epoch milliseconds */
  time: number
  msg: string
  /** who says it; undefined: the kernel */
  service?: string
  code?: string
  stack?: string
}

/** Undefined for a line that is none of the system's. */
export function readLogLine(line: string): LogLine | undefined {
  try {
    const { level = 0, time = 0, msg = '', ...more } = JSON.parse(line) as Partial<LogLine>
    return { ...more, level, time, msg }
  } catch {
    return undefined
  }
}

/** Whether a service says it, or the kernel of it. */
export const isLineOf = (name: string, { msg, service }: LogLine): boolean =>
  service === undefined ? msg.startsWith(`${name}  `) : service === name

/** The name of a level, as of 30 `info`; one between two is the lower one. */
export function levelName(level: number): LogLevel {
  const names = Object.keys(LOG_LEVELS) as LogLevel[]
  return names.findLast((name) => LOG_LEVELS[name] <= level) ?? 'debug'
}
