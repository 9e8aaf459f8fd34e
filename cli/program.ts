/**
 * All commands of `mm`, joined. Each group adds its own; the order here is the order of `mm --help`, of the completion
 * and of `docs/cli.md`, which are all written from what stands here.
 */
import { resolve } from 'node:path'
import { Command } from 'commander'
import type { AddCommands, Cli } from './common.ts'
import { packageVersion } from './package-root.ts'

interface Group {
  commands: readonly string[]
  find: () => Promise<AddCommands>
}

const GROUPS: readonly Group[] = [
  { commands: ['up'], find: async () => (await import('./up.ts')).addUp },
  { commands: ['init'], find: async () => (await import('./init.ts')).addInit },
  {
    commands: ['status', 'ls', 'show', 'call', 'tools', 'reload'],
    find: async () => (await import('./services.ts')).addServices,
  },
  { commands: ['chat'], find: async () => (await import('./chat.ts')).addChat },
  { commands: ['plan', 'rollback', 'undo', 'release'], find: async () => (await import('./changes.ts')).addChanges },
  { commands: ['changes', 'diff', 'why'], find: async () => (await import('./history.ts')).addHistory },
  { commands: ['validate', 'config'], find: async () => (await import('./configs.ts')).addConfigs },
  { commands: ['types'], find: async () => (await import('./types.ts')).addTypes },
  { commands: ['top'], find: async () => (await import('./top.ts')).addTop },
  { commands: ['dashboard'], find: async () => (await import('./dashboard.ts')).addDashboard },
  { commands: ['logs'], find: async () => (await import('./logs.ts')).addLogs },
  { commands: ['trace', 'replay'], find: async () => (await import('./traces.ts')).addTraces },
  { commands: ['kernel'], find: async () => (await import('./kernel.ts')).addKernel },
  { commands: ['packages'], find: async () => (await import('./packages.ts')).addPackages },
  { commands: ['approvals', 'approve', 'deny'], find: async () => (await import('./approvals.ts')).addApprovals },
  { commands: ['policy'], find: async () => (await import('./policy.ts')).addPolicy },
  { commands: ['ledger'], find: async () => (await import('./ledger.ts')).addLedger },
  { commands: ['brief', 'meta'], find: async () => (await import('./meta.ts')).addMeta },
  { commands: ['freeze', 'thaw'], find: async () => (await import('./freeze.ts')).addFreeze },
  { commands: ['mcp'], find: async () => (await import('./mcp.ts')).addMcp },
  { commands: ['improve'], find: async () => (await import('./improve.ts')).addImprove },
  { commands: ['scan'], find: async () => (await import('./scan.ts')).addScan },
  { commands: ['demo'], find: async () => (await import('./demo.ts')).addDemo },
  { commands: ['doctor'], find: async () => (await import('./doctor.ts')).addDoctor },
  { commands: ['backup', 'restore'], find: async () => (await import('./backup.ts')).addBackup },
  { commands: ['completion'], find: async () => (await import('./completion.ts')).addCompletion },
]

/**
 * `command`: the only one that is asked for; then its group is all that is loaded, which is most of the time a command
 * takes. Without it, or where there is no such command: all of them.
 */
export async function createProgram(setExitCode: (code: number) => void, command?: string): Promise<Command> {
  const program = new Command('mm')
  program
    .description('meta-machine: an operating system for AI applications')
    .version(packageVersion(), '-V, --version', 'print the version of the product')
    .option('--root <dir>', 'the root to work on', '.')
    .option('--json', 'print JSON', false)
    .exitOverride()
    // `main` tells what is wrong, in the same shape as every other error.
    .configureOutput({
      outputError: () => undefined,
      writeErr: (text) => {
        if (!program.opts<{ json: boolean }>().json) process.stderr.write(text)
      },
    })
    .enablePositionalOptions(false)
  const cli: Cli = {
    common: () => {
      const { root, json } = program.opts<{ root: string; json: boolean }>()
      return { root: resolve(root), json }
    },
    setExitCode,
  }
  const asked = GROUPS.filter(({ commands }) => command !== undefined && commands.includes(command))
  for (const group of asked.length > 0 ? asked : GROUPS) (await group.find())(program, cli)
  return program
}
