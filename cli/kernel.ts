/** `mm kernel`: which kernel runs, which others there are and what became of them; `mm kernel swap` tries the newest now. */
import type { KernelInfo, KernelSwapResult } from '../modules/contracts/kernel.ts'
import { describeError, fromErrorData } from '../modules/lib/errors.ts'
import { Client } from './client.ts'
import { dim, print, printJson, red, table } from './output.ts'
import type { Command } from 'commander'
import { prints, type Cli, type Common } from './common.ts'

async function showKernel({ root, json }: Common): Promise<void> {
  const info = await new Client(root).get<KernelInfo>('/api/kernel')
  if (json) {
    printJson(info)
    return
  }
  print(`kernel ${info.version}  prog ${info.prog}${info.on_probation ? '  on probation' : ''}`)
  print(table(info.versions.map(({ meta_file, state, error }) => [`  ${meta_file}`, state, reason(error)])))
  for (const { at, from, to, outcome, error, pause_ms } of info.history) {
    const pause = pause_ms === null ? '' : `  paused ${pause_ms} ms`
    const why = error === null ? '' : `  ${reason(error)}`
    print(dim(`  ${new Date(at).toISOString()}  ${from} → ${to}  ${outcome.replace('_', ' ')}${pause}`) + why)
  }
}

async function swapKernel({ root, json }: Common): Promise<void> {
  const result = await new Client(root).post<KernelSwapResult>('/api/kernel/swap')
  if (json) printJson(result)
  else if (result.ok) print(`kernel ${result.from} → ${result.to}  paused ${result.pause_ms} ms`)
  if (!result.ok && result.error !== null) throw fromErrorData(result.error)
}

const reason = (error: KernelInfo['versions'][number]['error']): string =>
  error === null ? '' : red(describeError(error))

export function addKernel(program: Command, { common }: Cli): void {
  const kernel = prints(
    program
      .command('kernel')
      .description('which kernel runs, which others there are, and what became of them')
      .action(() => showKernel(common())),
    'the same as `mm status`, without `url`',
  )
  prints(
    kernel
      .command('swap')
      .description('try the newest kernel now, also one that was refused')
      .action(() => swapKernel(common())),
    '{ok, from, to, error, pause_ms, ms}',
  )
}
