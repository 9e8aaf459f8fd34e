/**
 * The meta-loop in one line, for the prompt: one short call a turn. Where it is not there, late or in trouble there is no
 * line: a chat never fails of it.
 */
import type { MetaLoopApi } from '../../contracts/meta-loop.ts'
import type { KernelApi } from '../../contracts/module.ts'

const LINE_CHARS_MAX = 500
const ASK_MS = 500

export async function loopLine(kernel: Pick<KernelApi, 'getApi'>, signal: AbortSignal): Promise<string> {
  try {
    const { line } = await kernel.getApi<MetaLoopApi>('meta-loop').with({ deadlineMs: ASK_MS, signal }).status()
    // It can hold the words of an error: nothing in it opens a fence, and it stays one line.
    return String(line).replaceAll(/\s+/g, ' ').replaceAll('`', "'").slice(0, LINE_CHARS_MAX)
  } catch {
    return ''
  }
}
