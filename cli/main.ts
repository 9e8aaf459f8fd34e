/**
 * The command line `mm`: reads arguments, runs one command, returns the exit code (0 done, 1 the thing failed, 2 usage,
 * 3 not reachable). Without a command it is `mm up`.
 */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command, CommanderError } from 'commander'
import { coded } from '../modules/lib/errors.ts'
import { nearest } from '../modules/lib/near.ts'
import * as approvals from './approvals.ts'
import * as changes from './changes.ts'
import * as commands from './commands.ts'
import { doctor } from './doctor.ts'
import { init } from './init.ts'
import { showKernel, swapKernel } from './kernel.ts'
import { decidePackage, listPackages } from './packages.ts'
import { logs } from './logs.ts'
import { serveStdio } from './mcp.ts'
import { exitCodeOf, print, printError, printJson } from './output.ts'
import { Client } from './client.ts'
import { openPrompt, type ChatChoice } from './prompt.ts'
import { up } from './up.ts'

const LEVEL_NUMBERS: Record<string, number> = { debug: 20, info: 30, warn: 40, error: 50 }

export async function main(argv: readonly string[]): Promise<number> {
  let exitCode = 0
  const program = createProgram((code) => {
    exitCode = code
  })
  try {
    checkCommand(program, argv)
    await program.parseAsync([...argv], { from: 'user' })
    return exitCode
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2
    printError(thrown, argv.includes('--json'))
    return exitCodeOf(thrown)
  }
}

/** With a default command, a mistyped one would be taken for its argument. */
function checkCommand(program: Command, argv: readonly string[]): void {
  const [first] = argv.filter((word, index) => !word.startsWith('-') && argv[index - 1] !== '--root')
  const names = program.commands.map((command) => command.name())
  if (first === undefined || first === 'help' || names.includes(first)) return
  const [near] = nearest(first, names)
  const guess = near === undefined ? '' : `; did you mean \`${near}\`?`
  throw coded('usage', { reason: `There is no command \`${first}\`${guess}` })
}

function createProgram(setExitCode: (code: number) => void): Command {
  const program = new Command('mm')
    .description('meta-machine: an operating system for AI applications')
    .option('--root <dir>', 'the root to work on', '.')
    .option('--json', 'print JSON', false)
    .exitOverride()
    .showHelpAfterError('(mm --help lists the commands)')
    .enablePositionalOptions(false)
  const common: ReadCommon = () => {
    const { root, json } = program.opts<{ root: string; json: boolean }>()
    return { root: resolve(root), json }
  }
  addRootCommands(program, common, setExitCode)
  addServiceCommands(program, common)
  addChangeCommands(program, common, setExitCode)
  addOperatorCommands(program, common)
  addApprovalCommands(program, common)
  return program
}

type ReadCommon = () => commands.Common

function addRootCommands(program: Command, common: ReadCommon, setExitCode: (code: number) => void): void {
  program
    .command('up', { isDefault: true })
    .description('start the system (the default)')
    .option('--no-repl', 'no prompt: for servers')
    .option('--safe', 'kernel, http and filesystem only', false)
    .action(async (options: { repl: boolean; safe: boolean }) => setExitCode(await up({ ...common(), ...options })))
  program
    .command('init <dir>')
    .description('write a root of your own')
    .option('--force', 'also into a folder that is not empty; nothing is replaced', false)
    .action((dir: string, options: { force: boolean }) => {
      const made = init(dir, options.force)
      if (common().json) printJson(made)
      else print(`${made.root}: ${made.written.length} files written. Start it: mm up --root ${dir}`)
    })
}

function addServiceCommands(program: Command, common: ReadCommon): void {
  program
    .command('status')
    .description('one look at the whole')
    .action(() => commands.status(common()))
  program
    .command('ls')
    .description('list the services')
    .action(() => commands.list(common()))
  program
    .command('show <service>')
    .description('one service in detail')
    .action((api: string) => commands.show(common(), api))
  program
    .command('call <service.method> [values...]')
    .description('call a method; values are JSON or text, key=value pairs become one object')
    .option('--aspect <name>', 'another interface of the service')
    .option('--deadline <ms>', 'how long to wait')
    .action((target: string, values: string[], options: { aspect?: string; deadline?: string }) =>
      commands.call(common(), target, values, options),
    )
  program
    .command('tools')
    .description('list the tools')
    .action(() => commands.tools(common()))
  program
    .command('reload <service>')
    .description('build a new version and switch to it')
    .action((api: string) => commands.reload(common(), api))
  program
    .command('chat [message...]')
    .description('ask the assistant; without a message, a conversation')
    .option('--provider <service>', 'the inference service that answers')
    .option('--conversation <id>', 'the conversation to go on with')
    .action(async (words: string[], choice: ChatChoice) => {
      if (words.length > 0) await commands.chat(common(), words.join(' '), choice)
      else await converse(common().root, choice)
    })
}

function addChangeCommands(program: Command, common: ReadCommon, setExitCode: (code: number) => void): void {
  program
    .command('plan [files...]')
    .description('what a change of these files would touch; without files, what stands on disk and does not run')
    .option('--with <file>', 'what the one file would hold')
    .action((files: string[], options: { with?: string }) => changes.plan(common(), files, options))
  program
    .command('rollback <service>')
    .description('put the version before back; the disk stays as it is')
    .action((api: string) => changes.goBack(common(), api, 'rollback'))
  program
    .command('undo <service>')
    .description('put the bytes before the last change back, and run them')
    .action((api: string) => changes.goBack(common(), api, 'undo'))
  program
    .command('validate')
    .description('what is wrong in a root, without starting anything')
    .action(() => changes.validate(common(), setExitCode))
  const config = program.command('config').description('the configs of a running system')
  config
    .command('dump [service]')
    .description('effective values, and where each comes from')
    .action((api?: string) => changes.dumpConfigs(common(), api))
  const kernel = program
    .command('kernel')
    .description('which kernel runs, which others there are, and what became of them')
    .action(() => showKernel(common()))
  kernel
    .command('swap')
    .description('try the newest kernel now, also one that was refused')
    .action(() => swapKernel(common()))
  const packages = program
    .command('packages')
    .description('npm packages that modules asked for, and what became of them')
    .action(() => listPackages(common()))
  for (const how of ['confirm', 'deny', 'remove'] as const) {
    packages
      .command(`${how} <id>`)
      .description(`${how} one, by its id, as chromadb@3.5.0`)
      .action((id: string) => decidePackage(common(), how, id))
  }
  program
    .command('doctor')
    .description('look at everything, and say what is wrong and what to do')
    .option('--repair', 'mend what the system itself has left behind; never a file of yours', false)
    .action((options: { repair: boolean }) => doctor(common(), options, setExitCode))
}

function addOperatorCommands(program: Command, common: ReadCommon): void {
  program
    .command('logs')
    .description('read the log')
    .option('-f, --follow', 'wait for more', false)
    .option('-n, --lines <number>', 'how many lines', '50')
    .option('--level <name>', 'debug, info, warn or error', 'info')
    .action(async (options: { follow: boolean; lines: string; level: string }) => {
      const level = LEVEL_NUMBERS[options.level]
      const lines = Number(options.lines)
      if (level === undefined || !(lines >= 0))
        throw coded('usage', { reason: '--level is debug, info, warn or error; --lines is a number' })
      const stop = new AbortController()
      process.once('SIGINT', () => stop.abort())
      process.once('SIGTERM', () => stop.abort())
      await logs(common().root, { ...options, level, lines, json: common().json, signal: stop.signal })
    })
  program
    .command('mcp')
    .description('the tools of the running system for an MCP client, on stdin and stdout')
    .option('--secret <name>', "use the token in runtime/secrets/<name> instead of the system's own")
    .action(async (options: { secret?: string }) => serveStdio({ root: common().root, ...options }))
  program
    .command('freeze')
    .description('stop the system from changing itself')
    .option('--all', 'stop file edits from being applied too', false)
    .option('--reason <text>', 'why')
    .action((options: { all: boolean; reason?: string }) => commands.freeze(common(), options))
  program
    .command('thaw')
    .description('end a freeze')
    .action(() => commands.thaw(common()))
}

function addApprovalCommands(program: Command, common: ReadCommon): void {
  program
    .command('approvals')
    .description('what waits for a person to decide')
    .action(() => approvals.approvals(common()))
  program
    .command('approve <id>')
    .description('allow it; the turn that waits goes on')
    .option('--note <text>', 'a word to the model')
    .action((id: string, options: { note?: string }) => approvals.approve(common(), id, options))
  program
    .command('deny <id>')
    .description('refuse it; the turn that waits goes on without')
    .option('--reason <text>', 'why; the model is told')
    .action((id: string, options: { reason?: string }) => approvals.deny(common(), id, options))
}

async function converse(root: string, choice: ChatChoice): Promise<void> {
  if (process.stdin.isTTY !== true)
    throw coded('usage', { reason: 'Write the message after `mm chat`, or use a terminal' })
  if (!existsSync(root)) throw coded('root_missing', { root, part: 'folder' })
  void new Client(root)
  await new Promise<void>((done) => {
    const prompt = openPrompt(
      root,
      () => {
        prompt.close()
        done()
      },
      choice,
    )
  })
}
