/** The command line in this process: a second less for each run than the one a user starts. Not for what asks signals or a terminal. */
import { expect, vi } from 'vitest'
import { main } from '../../cli/main.ts'
import type { CommandResult } from './process.ts'

export async function mmHere(root: string, ...args: string[]): Promise<CommandResult> {
  const written = { stdout: '', stderr: '' }
  const real = { stdout: process.stdout.write, stderr: process.stderr.write }
  for (const name of ['stdout', 'stderr'] as const)
    process[name].write = (text: string | Uint8Array) => {
      written[name] += text.toString()
      return true
    }
  try {
    const code = await main(['--root', root, ...args])
    return { code, ...written }
  } finally {
    for (const name of ['stdout', 'stderr'] as const) process[name].write = real[name]
  }
}

/**
 * Resolves when the history has the texts of the first version of a service. It starts beside the others: what changes before
 * then has nothing to differ from.
 */
export const historyKnows = (root: string, api: string): Promise<unknown> =>
  vi.waitFor(async () => expect(await mmHere(root, 'diff', api, 'g1')).toMatchObject({ code: 0 }), 20_000)
