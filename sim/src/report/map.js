"use strict";
// Plays the scenes: where nodes are, who is linked, and how a message spreads.
for (const place of document.querySelectorAll(".map")) play(place, SCENES[+place.dataset.scene]);

function play(place, scene) {
  const make = (tag, parent, more) => Object.assign(parent.appendChild(document.createElement(tag)), more);
  const controls = make("div", place, { className: "controls" });
  const button = make("button", controls, { textContent: "Play", type: "button" });
  const slider = make("input", controls, { type: "range", min: 0, max: scene.until, step: "any", value: 0 });
  slider.setAttribute("aria-label", "time");
  const clock = make("span", controls, { className: "clock" });
  const choice = (label, options) => {
    const box = make("label", controls, { textContent: label + " " });
    const select = make("select", box);
    for (const [value, text] of options) make("option", select, { value, textContent: text });
    return select;
  };
  const whole = scene.until / 45;
  const speeds = [whole / 20, whole / 5, whole, whole * 4].map((speed) => [speed, "×" + round(speed)]);
  const speed = choice("speed", speeds);
  speed.value = whole;
  const router = choice("router", scene.routers.map((routed, index) => [index, routed.name]));
  const message = choice("message", []);
  const canvas = make("canvas", place);
  const told = make("p", place, { className: "told" });
  const context = canvas.getContext("2d");

  // The world's corners.
  let [left, bottom, right, top] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const way of scene.ways)
    for (let at = 0; at < way.length; at += 3) {
      left = Math.min(left, way[at + 1]);
      right = Math.max(right, way[at + 1]);
      bottom = Math.min(bottom, way[at + 2]);
      top = Math.max(top, way[at + 2]);
    }
  const wide = Math.max(right - left, 1), high = Math.max(top - bottom, 1);

  let now = 0, last = 0, playing = false, hovered = -1;
  let story = null;

  function fillMessages() {
    const messages = scene.routers[router.value].messages;
    const before = message.value;
    message.replaceChildren();
    make("option", message, { value: "", textContent: "all" });
    const arrived = (m) => m.delivered !== null && m.delivered <= scene.until;
    const order = messages.filter(arrived).concat(messages.filter((m) => !arrived(m)));
    for (const m of order.slice(0, 2000)) {
      const end = m.delivered === null ? "not delivered" : "after " + span(m.delivered - m.created);
      make("option", message, { value: m.index, textContent: `${m.name}: ${m.from} to ${m.to}, ${end}` });
    }
    if ([...message.options].some((option) => option.value === before)) message.value = before;
    choose();
  }

  function choose() {
    const routed = scene.routers[router.value];
    story = null;
    if (message.value === "") return;
    const chosen = routed.messages.find((m) => m.index === +message.value);
    const steps = [];
    for (let at = 0; at < routed.transfers.length; at += 4)
      if (routed.transfers[at + 3] === chosen.index)
        steps.push({ at: routed.transfers[at], from: routed.transfers[at + 1], to: routed.transfers[at + 2] });
    story = { message: chosen, steps, path: chosen.path === "" ? [] : chosen.path.split(">").map(Number) };
  }

  // Where a node is: between the turning points around now.
  function where(way, time) {
    let low = 0, high = way.length / 3 - 1;
    if (high < 0) return null;
    if (time >= way[high * 3]) return [way[high * 3 + 1], way[high * 3 + 2]];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (way[middle * 3] <= time) low = middle;
      else high = middle;
    }
    const [t, x, y, u, v, w] = way.slice(low * 3, low * 3 + 6);
    const part = u > t ? Math.min(Math.max((time - t) / (u - t), 0), 1) : 1;
    return [x + (v - x) * part, y + (w - y) * part];
  }

  function draw() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const ink = colour("--ink"), faint = colour("--faint");
    const ratio = window.devicePixelRatio || 1;
    const width = canvas.clientWidth, height = Math.min(Math.max((width * high) / wide, 260), 620);
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.style.height = height + "px";
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const margin = 18, scale = Math.min((width - 2 * margin) / wide, (height - 2 * margin) / high);
    const across = (width - wide * scale) / 2, down = (height - high * scale) / 2;
    const points = scene.ways.map((way) => {
      const at = where(way, now);
      return at && [across + (at[0] - left) * scale, height - down - (at[1] - bottom) * scale];
    });
    // Words, readable on whatever is below them.
    const write = (text, x, y) => {
      context.font = "12px system-ui, sans-serif";
      context.strokeStyle = colour("--paper");
      context.lineWidth = 4;
      context.lineJoin = "round";
      context.strokeText(text, x, y);
      context.fillStyle = ink;
      context.fillText(text, x, y);
    };
    const line = (a, b) => {
      if (!points[a] || !points[b]) return;
      context.moveTo(...points[a]);
      context.lineTo(...points[b]);
    };

    // Who is linked now.
    context.beginPath();
    let links = 0;
    for (let at = 0; at < scene.links.length && scene.links[at + 2] <= now; at += 4)
      if (scene.links[at + 3] > now) {
        links += 1;
        line(scene.links[at], scene.links[at + 1]);
      }
    context.strokeStyle = faint;
    context.globalAlpha = 0.55;
    context.lineWidth = 1;
    context.stroke();
    context.globalAlpha = 1;

    const routed = scene.routers[router.value];
    const own = colour("--c" + routed.colour), mark = colour("--oracle");
    const holders = new Set();
    let count = 0;
    if (story && now >= story.message.created) {
      holders.add(story.message.from);
      context.beginPath();
      for (const step of story.steps)
        if (step.at <= now) {
          holders.add(step.to);
          line(step.from, step.to);
          count += 1;
        }
      context.strokeStyle = own;
      context.globalAlpha = 0.3;
      context.stroke();
      context.globalAlpha = 1;
      if (story.message.delivered !== null && now >= story.message.delivered) {
        context.beginPath();
        for (let hop = 1; hop < story.path.length; hop += 1) line(story.path[hop - 1], story.path[hop]);
        context.strokeStyle = mark;
        context.lineWidth = 2.5;
        context.stroke();
      }
    } else if (!story) {
      // What was handed over just now.
      const glow = Math.max(+speed.value * 0.4, 1);
      context.beginPath();
      for (let at = 0; at < routed.transfers.length && routed.transfers[at] <= now; at += 4)
        if (routed.transfers[at] > now - glow) line(routed.transfers[at + 1], routed.transfers[at + 2]);
      context.strokeStyle = own;
      context.lineWidth = 2;
      context.stroke();
    }

    // Nodes: a group is a shade.
    const size = points.length > 600 ? 2 : points.length > 200 ? 3 : 4;
    points.forEach((point, node) => {
      if (!point) return;
      const held = story && holders.has(node);
      context.beginPath();
      context.arc(point[0], point[1], held ? size + 1 : size, 0, 7);
      context.fillStyle = held ? own : story ? faint : colour("--c" + ((scene.group[node] + 7) % 8));
      context.globalAlpha = story && !held ? 0.6 : 1;
      context.fill();
      context.globalAlpha = 1;
    });
    if (story)
      for (const [node, text] of [[story.message.from, "from"], [story.message.to, "to"]])
        if (points[node]) {
          context.beginPath();
          context.arc(points[node][0], points[node][1], size + 4, 0, 7);
          context.strokeStyle = mark;
          context.lineWidth = 2;
          context.stroke();
          write(`${text} ${node}`, points[node][0] + size + 7, points[node][1] + 4);
        }
    if (hovered >= 0 && points[hovered]) {
      const label = `${scene.groups[scene.group[hovered]]} ${hovered}`;
      write(label, points[hovered][0] + 8, points[hovered][1] - 8);
    }
    canvas.points = points;

    clock.textContent = span(now);
    slider.value = now;
    let text = `${links} links now. `;
    if (story) {
      const m = story.message;
      text += now < m.created
        ? `${m.name} is written at ${span(m.created)}.`
        : `${m.name}, ${round(m.size)} bytes: ${holders.size} nodes have had it, after ${count} transfers.`;
      if (m.delivered !== null && now >= m.delivered)
        text += ` It arrived ${span(m.delivered - m.created)} after it was written, by way of ${m.path.replaceAll(">", ", ")}.`;
    } else {
      const arrived = routed.messages.filter((m) => m.delivered !== null && m.delivered <= now).length;
      const written = routed.messages.filter((m) => m.created <= now).length;
      text += `${written} messages written, ${arrived} arrived. Choose one to see its way.`;
    }
    if (!scene.real) text += " The trace tells no places: who is together for longer stands closer.";
    if (scene.until < scene.end) text += ` The map ends at ${span(scene.until)} of ${span(scene.end)}: more would make this page too large.`;
    told.textContent = text + ` Seed ${scene.seed}.`;
  }

  function frame(time) {
    if (!playing) return;
    now = Math.min(now + ((time - last) / 1000) * speed.value, scene.until);
    last = time;
    if (now >= scene.until) pause();
    draw();
    if (playing) requestAnimationFrame(frame);
  }
  function pause() {
    playing = false;
    button.textContent = "Play";
  }
  button.onclick = () => {
    if (playing) return pause();
    if (now >= scene.until) now = 0;
    playing = true;
    button.textContent = "Pause";
    requestAnimationFrame((time) => { last = time; frame(time); });
  };
  slider.oninput = () => { now = +slider.value; draw(); };
  router.onchange = () => { fillMessages(); draw(); };
  message.onchange = () => {
    choose();
    if (story && (now < story.message.created || now > (story.message.delivered ?? Infinity))) now = story.message.created;
    draw();
  };
  canvas.onmousemove = (event) => {
    let nearest = 15;
    hovered = -1;
    (canvas.points || []).forEach((point, node) => {
      const far = point ? Math.hypot(point[0] - event.offsetX, point[1] - event.offsetY) : Infinity;
      if (far < nearest) [nearest, hovered] = [far, node];
    });
    if (!playing) draw();
  };
  window.addEventListener("resize", draw);
  fillMessages();
  // Somewhere where there is something to see.
  now = scene.until / 2;
  const first = scene.routers[0].messages.filter((m) => m.delivered !== null && m.delivered <= scene.until);
  const longest = first.reduce((best, m) => (best && best.path.length >= m.path.length ? best : m), null);
  if (longest) {
    message.value = longest.index;
    choose();
    now = longest.delivered;
  }
  draw();
}

function round(value) {
  return value >= 100 ? Math.round(value).toLocaleString("en") : String(+value.toPrecision(2));
}

function span(seconds) {
  const whole = Math.round(seconds);
  const two = (n) => String(n).padStart(2, "0");
  const days = Math.floor(whole / 86400), hours = Math.floor(whole / 3600) % 24;
  return (days > 0 ? days + " d " : "") + `${hours}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}
