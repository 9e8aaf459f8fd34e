/**
 * `mm completion bash|zsh|fish`: a script for the shell, written from the commands themselves. Commands and options are
 * in the script; names of services are asked for when one is to be completed, from the root the line names.
 */
import { Argument, type Command } from 'commander'
import { prints, type Cli } from './common.ts'
import { print, printJson } from './output.ts'

const SHELLS = ['bash', 'zsh', 'fish'] as const
type Shell = (typeof SHELLS)[number]

/** What the shell has to know of one command: its words, as `kernel swap`, and what may follow. */
interface Known {
  path: string
  description: string
  words: { name: string; description: string }[]
  options: { flag: string; description: string; takes: Kind | undefined }[]
  argument: Kind
}

type Kind = 'service' | 'file' | 'folder' | 'none'

function kindOf(name: string): Kind {
  if (['service', 'service.method', 'subject'].includes(name)) return 'service'
  if (name === 'dir') return 'folder'
  return /^files?$/.test(name) ? 'file' : 'none'
}

export function knownOf(program: Command): Known[] {
  const common = program.options
  const visit = (command: Command, path: string): Known[] => [
    {
      path,
      description: command.description(),
      words: [
        ...command.commands.map((one) => ({ name: one.name(), description: one.description() })),
        ...(command.registeredArguments[0]?.argChoices ?? []).map((name) => ({ name, description: '' })),
      ],
      options: [...command.options, ...(command === program ? [] : common)].flatMap((option) =>
        [option.long, option.short].flatMap((flag) =>
          flag === undefined || flag === null
            ? []
            : [
                {
                  flag,
                  description: option.description,
                  takes: option.required ? kindOf(/<(.+)>/.exec(option.flags)?.[1] ?? '') : undefined,
                },
              ],
        ),
      ),
      argument: kindOf(command.registeredArguments[0]?.name() ?? ''),
    },
    ...command.commands.flatMap((one) => visit(one, `${path} ${one.name()}`.trim())),
  ]
  return visit(program, '')
}

const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`

/** The words before the cursor → the command they name: shared by bash and zsh, which both know `case`. */
function branches(known: readonly Known[], inside: (one: Known) => string): string {
  return known.map((one) => `    ${one.path === '' ? "''" : quoted(one.path)})\n${inside(one)}\n      ;;`).join('\n')
}

/** Which words are commands; the rest are arguments and what options take. */
function walk(known: readonly Known[]): string {
  const steps = known
    .filter((one) => one.path !== '')
    .map((one) => {
      const parts = one.path.split(' ')
      return `${quoted(`${parts.slice(0, -1).join(' ')}/${parts.at(-1)}`)}) at=${quoted(one.path)}; count=0 ;;`
    })
  const taking = [
    ...new Set(known.flatMap((one) => one.options.flatMap((option) => (option.takes ? [option.flag] : [])))),
  ]
  return `    case "$word" in
      ${taking.join('|')}) skip=$word; continue ;;
      -*) continue ;;
    esac
    case "$at/$word" in
      ${steps.join('\n      ')}
      *) count=$((count + 1)) ;;
    esac`
}

const takesOf = (known: readonly Known[], kind: Kind): string =>
  [
    ...new Set(known.flatMap((one) => one.options.flatMap((option) => (option.takes === kind ? [option.flag] : [])))),
  ].join('|')

function bash(known: readonly Known[]): string {
  return `# Completion of mm for bash: source <(mm completion bash)
_mm() {
  local current=\${COMP_WORDS[COMP_CWORD]} at='' skip='' root=. word index count=0
  COMPREPLY=()
  for ((index = 1; index < COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    if [[ -n $skip ]]; then [[ $skip == --root ]] && root=$word; skip=''; continue; fi
${walk(known)}
  done
  _mm_services() { COMPREPLY=($(compgen -W "$(mm --root "$root" ls --names 2>/dev/null)" -- "$current")); }
  _mm_files() { compopt -o filenames; COMPREPLY=($(compgen "$1" -- "$current")); }
  case "$skip" in
    '') ;;
    ${takesOf(known, 'service')}) _mm_services; return ;;
    ${takesOf(known, 'folder')}) _mm_files -d; return ;;
    ${takesOf(known, 'file')}) _mm_files -f; return ;;
    *) return ;;
  esac
  case "$at" in
${branches(known, (one) => {
  const flags = one.options.map((option) => option.flag).join(' ')
  const words = one.words.map((word) => word.name).join(' ')
  const argument = {
    service: `[[ $count -eq 0 ]] && _mm_services`,
    folder: '_mm_files -d',
    file: '_mm_files -f',
    none: words === '' ? ':' : `COMPREPLY=($(compgen -W ${quoted(words)} -- "$current"))`,
  }[one.argument]
  return `      if [[ $current == -* ]]; then COMPREPLY=($(compgen -W ${quoted(flags)} -- "$current")); else ${argument}; fi`
})}
  esac
}
complete -F _mm mm`
}

function zsh(known: readonly Known[]): string {
  const described = (name: string, text: string): string => quoted(`${name.replaceAll(':', '\\:')}:${text}`)
  return `#compdef mm
# Completion of mm for zsh: source <(mm completion zsh)
_mm() {
  local current=\${words[CURRENT]} at='' skip='' root=. word index count=0
  local -a found
  for ((index = 2; index < CURRENT; index++)); do
    word=\${words[index]}
    if [[ -n $skip ]]; then [[ $skip == --root ]] && root=$word; skip=''; continue; fi
${walk(known)}
  done
  case "$skip" in
    '') ;;
    ${takesOf(known, 'service')}) found=(\${(f)"$(mm --root "$root" ls --names 2>/dev/null)"}); compadd -a found; return ;;
    ${takesOf(known, 'folder')}) _files -/; return ;;
    ${takesOf(known, 'file')}) _files; return ;;
    *) return ;;
  esac
  case "$at" in
${branches(known, (one) => {
  const flags = one.options.map((option) => described(option.flag, option.description)).join(' ')
  const words = one.words.map((word) => described(word.name, word.description)).join(' ')
  const argument = {
    service: `[[ $count -eq 0 ]] && { found=(\${(f)"$(mm --root "$root" ls --names 2>/dev/null)"}); compadd -a found }`,
    folder: '_files -/',
    file: '_files',
    none: words === '' ? ':' : `found=(${words}); _describe command found`,
  }[one.argument]
  return `      if [[ $current == -* ]]; then found=(${flags}); _describe option found; else ${argument}; fi`
})}
  esac
}
compdef _mm mm`
}

function fish(known: readonly Known[]): string {
  const lines = ['# Completion of mm for fish: mm completion fish | source', 'complete -c mm -f']
  const services = `(mm ls --names 2>/dev/null)`
  const completing: Record<Kind, string> = {
    service: `-xa ${quoted(services)}`,
    file: '-rF',
    folder: '-rF',
    none: '-x',
  }
  for (const { path, words, options, argument } of known) {
    const isSeen = path.split(' ').map((part) => `__fish_seen_subcommand_from ${part}`)
    const seen = path === '' ? '__fish_use_subcommand' : isSeen.join('; and ')
    const when = `-n ${quoted(seen)}`
    for (const word of words) lines.push(`complete -c mm ${when} -a ${word.name} -d ${quoted(word.description)}`)
    for (const { flag, description, takes } of options) {
      const name = flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`
      const value = takes === undefined ? '' : ` ${completing[takes]}`
      lines.push(`complete -c mm ${when} ${name}${value} -d ${quoted(description)}`)
    }
    if (argument === 'service') lines.push(`complete -c mm ${when} -a ${quoted(services)}`)
    if (argument === 'file' || argument === 'folder') lines.push(`complete -c mm ${when} -F`)
  }
  return lines.join('\n')
}

const WRITERS: Record<Shell, (known: readonly Known[]) => string> = { bash, zsh, fish }

export function addCompletion(program: Command, { common }: Cli): void {
  prints(
    program
      .command('completion')
      .addArgument(new Argument('<shell>', SHELLS.join(', ')).choices(SHELLS))
      .description('a script for the shell: source <(mm completion bash)')
      .action((shell: Shell) => {
        const script = WRITERS[shell](knownOf(program))
        if (common().json) printJson({ shell, script })
        else print(script)
      }),
    '{shell, script}',
  )
}
