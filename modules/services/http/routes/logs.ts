/** The log: its last lines, and what is added to it. The same file as `mm logs` reads, without secrets and paths. */
import { join } from 'node:path'
import { z } from 'zod'
import { coded } from '../../../lib/errors.ts'
import { isLineOf, levelName, LOG_LEVELS, readLogLine, type LogLine } from '../../../lib/log-lines.ts'
import { readOn, readTail, type LogPlace } from '../log-tail.ts'
import { route } from './route.ts'
import { epochMs } from './shapes.ts'

const LIMIT_MAX = 1_000
const LIMIT = 200

const logEntry = z.object({
  time: epochMs,
  level: z.enum(['debug', 'info', 'warn', 'error']),
  service: z.string().nullable().describe('who says it; null: the kernel'),
  message: z.string(),
  code: z.string().nullable(),
  stack: z.string().nullable(),
})

const query = z.object({
  level: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('the lowest that is told'),
  service: z.string().optional().describe('only what this service says, and what the kernel says of it'),
  limit: z.coerce.number().int().min(1).max(LIMIT_MAX).default(LIMIT).describe(`lines at most; up to ${LIMIT_MAX}`),
  after: z.string().optional().describe('`next` of an answer: only what came after it'),
})

export const logsRoute = route({
  id: 'system.logs',
  method: 'GET',
  path: '/api/logs',
  scope: 'read',
  summary: 'The last lines of the log, or what came after them',
  notes:
    'Oldest first. `after` goes on where an answer ended, also after the log was moved aside; lines that are gone by then are told as `gap`.',
  verb: 'mm logs',
  query,
  answer: z.object({
    lines: z.array(logEntry),
    next: z.string().nullable().describe('`after` of the next request; null: there is no log'),
    more: z.boolean().describe('there are more lines after these already'),
    gap: z.boolean().describe('lines came and went since `after`'),
  }),
  async act({ desk, query: { level, service, limit, after } }) {
    const clean = await desk.cleaner()
    const path = join(desk.kernel.paths.runtime, 'logs', 'mm.log')
    const reading = {
      limit,
      read(text: string) {
        const line = readLogLine(text)
        if (line === undefined || line.level < LOG_LEVELS[level]) return undefined
        if (service !== undefined && !isLineOf(service, line)) return undefined
        return told(line, clean)
      },
    }
    const tail = await (after === undefined ? readTail(path, reading) : readOn(path, placeOf(after), reading))
    const { entries, next, more, gap } = tail
    return { lines: entries, next: next === undefined ? null : `${next.inode}-${next.offset}`, more, gap }
  },
})

function told(line: LogLine, clean: (text: string) => string): z.output<typeof logEntry> {
  const { time, level, service = null, msg, code = null, stack } = line
  return {
    time,
    level: levelName(level),
    service,
    message: clean(msg),
    code,
    stack: stack === undefined ? null : clean(stack),
  }
}

function placeOf(after: string): LogPlace {
  const [, inode, offset] = /^(\d{1,20})-(\d{1,15})$/.exec(after) ?? []
  if (inode === undefined || offset === undefined)
    throw coded('bad_request', { reason: '`after` must be what `next` of an answer was' })
  return { inode: Number(inode), offset: Number(offset) }
}
