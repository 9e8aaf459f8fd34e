/** Asks for the token of the system: whoever has opened the page without `mm dashboard`. */
import { useState } from 'preact/hooks'
import { isRefused, keepToken } from '../api/client.ts'
import { commandOf } from '../commands.ts'
import { Button } from '../parts/button.tsx'
import { CommandLine } from '../parts/command-line.tsx'
import { TextField } from '../parts/field.tsx'

export function SignIn() {
  const [given, setGiven] = useState('')
  return (
    <main class="sign-in">
      <h1>meta-machine</h1>
      <p>
        This page needs the token of the system. <CommandLine command={commandOf('dashboard')} /> opens it with one.
      </p>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault()
          if (given.trim() !== '') keepToken(given.trim())
        }}
      >
        <TextField
          label="Token"
          type="password"
          value={given}
          onInput={setGiven}
          error={
            isRefused.value ? 'This token is not taken: it is another one since the system was set up anew' : undefined
          }
          hint="It stands in runtime/token, and is kept for this tab only."
        />
        <Button type="submit" kind="primary">
          Open
        </Button>
      </form>
    </main>
  )
}
