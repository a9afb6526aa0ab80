// Questions of a session to its own human, asked over the lease and answered there only. Called by at-terminal.ts.
import type { DaemonMessage, QuestionKind } from "../control/protocol.ts";
import { AgentRunError } from "../core/error.ts";

export class Questions {
  readonly #send: (message: DaemonMessage) => void;
  readonly #open = new Map<number, PromiseWithResolvers<string>>();
  #last = 0;
  #gone = false;

  constructor(send: (message: DaemonMessage) => void) {
    this.#send = send;
  }

  /** Resolves with the human's text. Throws AgentRunError `lease` when the launcher is gone before the answer. */
  ask(kind: QuestionKind, prompt: string, minutes?: number): Promise<string> {
    if (this.#gone) return Promise.reject(nobodyThere());
    this.#last += 1;
    const question = Promise.withResolvers<string>();
    this.#open.set(this.#last, question);
    this.#send({ type: "ask", id: this.#last, kind, prompt, ...(minutes === undefined ? {} : { minutes }) });
    return question.promise;
  }

  /** An answer to a question that is not open is dropped. */
  answer(id: number, text: string): void {
    this.#open.get(id)?.resolve(text);
    this.#open.delete(id);
  }

  giveUp(): void {
    this.#gone = true;
    for (const question of this.#open.values()) question.reject(nobodyThere());
    this.#open.clear();
  }
}

function nobodyThere(): AgentRunError {
  return new AgentRunError("lease", "nobody is there to answer: the launcher is gone");
}
