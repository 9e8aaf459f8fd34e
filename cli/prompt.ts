/**
 * The prompt of `mm up` and `mm chat`: one line in, a conversation with the assistant out, over HTTP like any client.
 * Output of the system appears above the line being typed.
 */
import { createInterface, clearLine, cursorTo } from 'node:readline'
import type { ChatEvent } from '../modules/contracts/services.ts'
import { Client } from './client.ts'
import { dim, printError } from './output.ts'

export interface Prompt {
  /** Prints a line above the prompt. */
  above(line: string): void
  close(): void
}

type StreamEvent = ChatEvent | { type: 'error'; error: { code: string; message: string; hint: string } }

const HELP =
  'Ask anything in your own words. /new starts a new conversation, /quit stops the system. In another terminal: mm ls, mm show, mm logs -f.'

/** Asks the assistant and writes what comes back. Returns the conversation's id. */
export async function ask(
  client: Client,
  message: string,
  conversationId: string | undefined,
  write: (text: string) => void,
): Promise<string | undefined> {
  let id = conversationId
  const body = { message, stream: true, ...(id === undefined ? {} : { conversation_id: id }) }
  for await (const event of client.events<StreamEvent>('POST', '/api/chat', body)) {
    if (event.type === 'text') write(event.text.trimEnd())
    else if (event.type === 'call' || event.type === 'result') write(dim(event.text))
    else if (event.type === 'error') throw Object.assign(new Error(event.error.message), event.error)
    else id = event.answer.conversation_id
  }
  return id
}

export function openPrompt(root: string, onQuit: () => void): Prompt {
  const lines = createInterface({ input: process.stdin, output: process.stdout, prompt: '> ' })
  let conversation: string | undefined
  let busy = Promise.resolve()
  const above = (text: string): void => {
    clearLine(process.stdout, 0)
    cursorTo(process.stdout, 0)
    process.stdout.write(`${text}\n`)
    lines.prompt(true)
  }
  const handle = async (line: string): Promise<void> => {
    const text = line.trim()
    if (text === '/quit' || text === '/exit') onQuit()
    else if (text === '/help') above(dim(HELP))
    else if (text === '/new') conversation = undefined
    else if (text !== '') {
      try {
        conversation = await ask(new Client(root), text, conversation, above)
      } catch (error) {
        printError(error, false)
      }
    }
    lines.prompt()
  }
  lines.on('line', (line) => {
    busy = busy.then(() => handle(line))
  })
  lines.on('SIGINT', onQuit)
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
