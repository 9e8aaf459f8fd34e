/** Where the person writes: Enter sends, Shift with Enter begins a line. While a turn is under way it can be cancelled. */
import { useState } from 'preact/hooks'
import { commandOf } from '../../commands.ts'
import { Button } from '../../parts/button.tsx'
import { CommandLine } from '../../parts/command-line.tsx'
import { Field, SelectField } from '../../parts/field.tsx'
import { choiceOf, type Provider } from '../../parts/provider.ts'
import { conversation, say } from './store.ts'

const LINES = 3

export function Composer({ providers }: { providers: readonly Provider[] }) {
  const [text, setText] = useState('')
  const [provider, setProvider] = useState('')
  const { id, parked, stop } = conversation.value
  const isParked = parked !== null
  const send = (): void => {
    const message = text.trim()
    if (message === '' || stop !== undefined || isParked) return
    setText('')
    void say(message, provider === '' ? undefined : provider)
  }
  return (
    <form
      class="chat-composer"
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      <MessageField text={text} setText={setText} send={send} isParked={isParked} />
      <div class="row">
        <SelectField
          label="Who answers"
          bare
          value={provider}
          onPick={setProvider}
          choices={[{ value: '', text: autoText(providers) }, ...providers.map(choiceOf)]}
        />
        <span class="grow is-wide" />
        <span class="is-wide">
          <CommandLine command={commandOf('chat', { id })} />
        </span>
        {stop === undefined ? (
          <Button type="submit" kind="primary" disabled={isParked}>
            Send
          </Button>
        ) : (
          <Button onClick={stop}>Cancel the turn</Button>
        )}
      </div>
    </form>
  )
}

interface MessageFieldProps {
  text: string
  setText: (text: string) => void
  send: () => void
  isParked: boolean
}

function MessageField({ text, setText, send, isParked }: MessageFieldProps) {
  return (
    <Field
      label="Message"
      hint={isParked ? 'The conversation goes on when its question is decided.' : 'Enter sends, Shift + Enter a line.'}
    >
      {(ids) => (
        <textarea
          {...ids}
          rows={LINES}
          value={text}
          disabled={isParked}
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => {
            // Enter also ends what is composed of several keys.
            if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
            event.preventDefault()
            send()
          }}
        />
      )}
    </Field>
  )
}

function autoText(providers: readonly Provider[]): string {
  const chosen = providers.find((one) => one.chosen)
  return chosen === undefined ? 'Nobody answers now' : `As configured: ${chosen.name}`
}
