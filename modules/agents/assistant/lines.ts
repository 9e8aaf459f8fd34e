/**
 * One turn at a time in each conversation: the next one waits in line. The lines are held by the service over its
 * versions, as plain data, so that a reload in the middle neither mixes two turns nor loses sight of one.
 */
import { coded } from '../../lib/errors.ts'
import { untilAborted } from './until-aborted.ts'

export interface Lines {
  /** conversation → the end of its last turn in line, and how many there are */
  waiting: Map<string, { tail: Promise<void>; length: number }>
  /** conversation → ends the turn that is under way */
  running: Map<string, (reason: Error) => void>
}

export const newLines = (): Lines => ({ waiting: new Map(), running: new Map() })

/** Rejects with `chat_busy` when the line is full, and with the signal's reason when the caller leaves it. */
export async function inLine<T>(
  lines: Lines,
  id: string,
  { limit, signal }: { limit: number; signal: AbortSignal },
  work: () => Promise<T>,
): Promise<T> {
  const line = lines.waiting.get(id) ?? { tail: Promise.resolve(), length: 0 }
  if (line.length > limit) throw coded('chat_busy', { conversation: id, limit })
  lines.waiting.set(id, line)
  line.length++
  const ahead = line.tail
  let end = (): void => {}
  const mine = new Promise<void>((resolve) => (end = resolve))
  line.tail = ahead.then(() => mine)
  try {
    await untilAborted(ahead, signal)
    return await work()
  } finally {
    end()
    if (--line.length === 0) lines.waiting.delete(id)
  }
}
