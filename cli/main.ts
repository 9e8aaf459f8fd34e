/**
 * The command line `mm`: reads arguments, runs one command, returns the exit code (0 done, 1 the thing failed, 2 usage,
 * 3 not reachable). Without a command it is `mm up`. With `--json` every failure is JSON too, also a mistyped option.
 */
import { CommanderError, type Command } from 'commander'
import { coded } from '../modules/lib/errors.ts'
import { nearest } from '../modules/lib/near.ts'
import { exitCodeOf, printError } from './output.ts'
import { createProgram } from './program.ts'

export async function main(argv: readonly string[]): Promise<number> {
  let exitCode = 0
  const setExitCode = (code: number): void => {
    exitCode = code
  }
  // Not caught: a file of ours that cannot be loaded is told with its stack.
  const program = await createProgram(setExitCode, askedCommand(argv))
  try {
    checkCommand(program, argv)
    await program.parseAsync([...argv], { from: 'user' })
    return exitCode
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return 0
    const error = thrown instanceof CommanderError ? usageError(thrown) : thrown
    printError(error, argv.includes('--json'))
    return exitCodeOf(error)
  }
}

/**
 * Who reads may go before the end, as `mm logs | head` does. A command has nothing left to do then, and that is no
 * failure; a system goes on: what it prints is in its log, too. Called once a process.
 */
export function heedReader(argv: readonly string[]): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    if (!isSystem(argv)) process.exit(0)
  })
}

/** A pipe that is full takes the rest later: resolves when what was printed is with its reader. No system waits for one. */
export async function untilRead(argv: readonly string[]): Promise<void> {
  if (isSystem(argv)) return
  for (const stream of [process.stdout, process.stderr])
    await new Promise<void>((resolve) => stream.write('', () => resolve()))
}

const isSystem = (argv: readonly string[]): boolean => [undefined, 'up'].includes(commandOf(argv))

const commandOf = (argv: readonly string[]): string | undefined =>
  argv.find((word, index) => !word.startsWith('-') && argv[index - 1] !== '--root')

/** The one command that is needed; undefined where all are told of. */
function askedCommand(argv: readonly string[]): string | undefined {
  const command = commandOf(argv)
  if (command === 'completion') return undefined
  return command ?? (argv.some((word) => word === '--help' || word === '-h') ? undefined : 'up')
}

/** `error: unknown option '--x'\n(Did you mean --y?)` → one sentence, as our own errors are. */
function usageError({ message }: CommanderError): Error {
  const [first = '', ...more] = message.replace(/^error: /, '').split('\n')
  const reason = [`${first.slice(0, 1).toUpperCase()}${first.slice(1)}`, ...more].join(' ').trim()
  return coded('usage', { reason: reason === '(outputHelp)' ? 'A subcommand is missing' : reason })
}

/** With a default command, a mistyped one would be taken for its argument. */
function checkCommand(program: Command, argv: readonly string[]): void {
  const first = commandOf(argv)
  const names = program.commands.map((command) => command.name())
  if (first === undefined || first === 'help' || names.includes(first)) return
  const [near] = nearest(first, names)
  const guess = near === undefined ? '' : `; did you mean \`${near}\`?`
  throw coded('usage', { reason: `There is no command \`${first}\`${guess}` })
}
