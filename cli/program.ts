/**
 * All commands of `mm`, joined. Each group adds its own; the order here is the order of `mm --help`, of the completion
 * and of `docs/cli.md`, which are all written from what stands here.
 */
import { resolve } from 'node:path'
import { Command } from 'commander'
import { addApprovals } from './approvals.ts'
import { addBackup } from './backup.ts'
import { addChanges } from './changes.ts'
import { addChat } from './chat.ts'
import type { AddCommands, Cli } from './common.ts'
import { addCompletion } from './completion.ts'
import { addConfigs } from './configs.ts'
import { addDashboard } from './dashboard.ts'
import { addDemo } from './demo.ts'
import { addDoctor } from './doctor.ts'
import { addFreeze } from './freeze.ts'
import { addHistory } from './history.ts'
import { addImprove } from './improve.ts'
import { addInit } from './init.ts'
import { addKernel } from './kernel.ts'
import { addLedger } from './ledger.ts'
import { addLogs } from './logs.ts'
import { addMcp } from './mcp.ts'
import { addMeta } from './meta.ts'
import { packageVersion } from './package-root.ts'
import { addPackages } from './packages.ts'
import { addPolicy } from './policy.ts'
import { addScan } from './scan.ts'
import { addServices } from './services.ts'
import { addTraces } from './traces.ts'
import { addTop } from './top.ts'
import { addTypes } from './types.ts'
import { addUp } from './up.ts'

const GROUPS: readonly AddCommands[] = [
  addUp,
  addInit,
  addServices,
  addChat,
  addChanges,
  addHistory,
  addConfigs,
  addTypes,
  addTop,
  addDashboard,
  addLogs,
  addTraces,
  addKernel,
  addPackages,
  addApprovals,
  addPolicy,
  addLedger,
  addMeta,
  addFreeze,
  addMcp,
  addImprove,
  addScan,
  addDemo,
  addDoctor,
  addBackup,
  addCompletion,
]

export function createProgram(setExitCode: (code: number) => void): Command {
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
  for (const add of GROUPS) add(program, cli)
  return program
}
