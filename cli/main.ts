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
  const program = createProgram((code) => {
    exitCode = code
  })
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

/** `error: unknown option '--x'\n(Did you mean --y?)` → one sentence, as our own errors are. */
function usageError({ message }: CommanderError): Error {
  const [first = '', ...more] = message.replace(/^error: /, '').split('\n')
  const reason = [`${first.slice(0, 1).toUpperCase()}${first.slice(1)}`, ...more].join(' ').trim()
  return coded('usage', { reason: reason === '(outputHelp)' ? 'A subcommand is missing' : reason })
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
