/**
 * The prompt of `mm up` and `mm chat`: one line in, a conversation with the assistant out, over HTTP like any client.
 * Output of the system appears above the line being typed.
 */
import { createInterface, clearLine, cursorTo } from 'node:readline'
import type { ChatAnswer, ChatEvent } from '../modules/contracts/services.ts'
import { Client } from './client.ts'
import { dim, printError } from './output.ts'

export interface Prompt {
  /** Prints a line above the prompt. */
  above(line: string): void
  close(): void
}

type StreamEvent = ChatEvent | { type: 'error'; error: { code: string; message: string; hint: string } }

const HELP =
  'Ask anything in your own words. Ctrl-C ends an answer, /new starts a new conversation, /quit stops the system. In another terminal: mm ls, mm show, mm logs -f.'

/** Where an answer is shown while it is written. */
export interface Screen {
  /** A piece of a text: more of it may follow on the same line. */
  piece(text: string): void
  /** Whole lines, on lines of their own. */
  lines(text: string): void
}

export interface ChatChoice {
  conversation?: string | undefined
  /** an inference service, instead of the one the assistant would take */
  provider?: string | undefined
}

export interface AskOptions extends ChatChoice {
  screen: Screen
  signal?: AbortSignal
}

/** Asks the assistant and shows what comes back. Returns the conversation's id. */
export async function ask(
  client: Client,
  message: string,
  { conversation, provider, screen, signal }: AskOptions,
): Promise<string | undefined> {
  let id = conversation
  const body = {
    message,
    stream: true,
    ...(id === undefined ? {} : { conversation_id: id }),
    ...(provider === undefined ? {} : { provider }),
  }
  for await (const event of client.events<StreamEvent>('POST', '/api/chat', body, signal)) {
    switch (event.type) {
      case 'text':
        screen.piece(event.text)
        break
      case 'call':
      case 'result':
        screen.lines(dim(event.text))
        break
      case 'error':
        throw Object.assign(new Error(event.error.message), event.error)
      case 'answer':
        id = event.answer.conversation_id
        showEnd(event.answer, screen)
        break
      default: {
        const never: never = event
        return never
      }
    }
  }
  return id
}

/** What the text of an answer does not say: why it stopped, and what it waits for. */
export function showEnd({ status, reason = '', approval_id }: ChatAnswer, screen: Screen): void {
  if (status === 'cut') screen.lines(dim(`(cut) ${reason}`))
  if (status === 'parked') {
    screen.lines(`It asks a person: ${reason}\nmm approve ${approval_id}, or mm deny ${approval_id} --reason "…"`)
  }
}

/** Keeps track of whether a line has been begun, so that whole lines never end up in the middle of one. */
export function createScreen(write: (text: string) => void): Screen & { endLine(): void } {
  let begun = false
  const endLine = (): void => {
    if (begun) write('\n')
    begun = false
  }
  return {
    endLine,
    piece: (text) => {
      write(text)
      begun = !text.endsWith('\n')
    },
    lines: (text) => {
      endLine()
      write(`${text}\n`)
    },
  }
}

/** `first`: the conversation to go on with, and who answers. */
export function openPrompt(root: string, onQuit: () => void, first: ChatChoice = {}): Prompt {
  const lines = createInterface({ input: process.stdin, output: process.stdout, prompt: '> ' })
  const screen = createScreen((text) => process.stdout.write(text))
  const { provider } = first
  let { conversation } = first
  let busy = Promise.resolve()
  let answering: AbortController | undefined
  const above = (text: string): void => {
    if (answering === undefined) {
      clearLine(process.stdout, 0)
      cursorTo(process.stdout, 0)
    }
    screen.lines(text)
    if (answering === undefined) lines.prompt(true)
  }
  const answer = async (text: string): Promise<void> => {
    answering = new AbortController()
    const { signal } = answering
    try {
      conversation = await ask(new Client(root), text, { conversation, provider, screen, signal })
    } catch (error) {
      screen.endLine()
      if (signal.aborted) screen.lines(dim('(cancelled)'))
      else printError(error, false)
    } finally {
      screen.endLine()
      answering = undefined
    }
  }
  const handle = async (line: string): Promise<void> => {
    const text = line.trim()
    if (text === '/quit' || text === '/exit') onQuit()
    else if (text === '/help') above(dim(HELP))
    else if (text === '/new') conversation = undefined
    else if (text !== '') await answer(text)
    lines.prompt()
  }
  lines.on('line', (line) => {
    busy = busy.then(() => handle(line))
  })
  // The first one ends an answer that is being written, the next one everything.
  lines.on('SIGINT', () => (answering === undefined || answering.signal.aborted ? onQuit() : answering.abort()))
  lines.on('close', () => {
    if (process.stdin.isTTY === true) onQuit()
  })
  process.stdout.write(`${dim(HELP)}\n`)
  lines.prompt()
  return {
    above,
    close: () => {
      lines.removeAllListeners('close')
      lines.close()
    },
  }
}
