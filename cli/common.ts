/**
 * What every group of commands gets and gives: how to read the options all commands share, how to set the exit code, and
 * for each command what it prints with `--json`, so that `docs/cli.md` is written from the commands themselves.
 */
import type { Command } from 'commander'

export interface Common {
  root: string
  json: boolean
}

export interface Cli {
  /** The options all commands share. */
  common(): Common
  setExitCode(code: number): void
}

/** Adds a group of commands to the program. */
export type AddCommands = (program: Command, cli: Cli) => void

const shapes = new WeakMap<Command, string>()

/** Says what the command prints with `--json`: `{key, other}`, `[{key}]`, or a few words. */
export function prints(command: Command, shape: string): Command {
  shapes.set(command, shape)
  return command
}

export const shapeOf = (command: Command): string | undefined => shapes.get(command)
