const element = (id) => document.getElementById(id);

/** Calls the API; an answer that is not 2xx is an Error with the words of the server. */
async function call(method, path, body) {
  const answer = await fetch(`api/todos${path}`, {
    method,
    headers: body && { "content-type": "application/json" },
    body: body && JSON.stringify(body),
  });
  const value = answer.status === 204 ? null : await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(value.error ?? `the server answered ${answer.status}`);
  return value;
}

/** Runs a change, then shows the list as the server has it; a failure is shown above it. */
async function change(action) {
  const error = element("error");
  try {
    await action?.();
    show(await call("GET", ""));
    error.hidden = true;
  } catch (failure) {
    error.textContent = `That did not work: ${failure.message}.`;
    error.hidden = false;
  }
}

function show(todos) {
  element("todos").replaceChildren(...todos.map(row));
  element("empty").hidden = todos.length > 0;
}

function row(todo) {
  const item = element("todo").content.cloneNode(true);
  const done = item.querySelector("input");
  item.querySelector("span").textContent = todo.title;
  done.checked = todo.done;
  done.addEventListener("change", () => change(() => call("PATCH", `/${todo.id}`, { done: done.checked })));
  const remove = item.querySelector(".delete");
  remove.setAttribute("aria-label", `Delete ${todo.title}`);
  remove.addEventListener("click", () => change(() => call("DELETE", `/${todo.id}`)));
  return item;
}

element("add").addEventListener("submit", (event) => {
  event.preventDefault();
  const title = element("title");
  change(async () => {
    await call("POST", "", { title: title.value });
    title.value = "";
  });
});

fetch("health").then((answer) => answer.json()).then(({ version }) => { element("version").textContent = version; });
change();
