/** The command line in this process: a second less for each run than the one a user starts. Not for what asks signals or a terminal. */
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
