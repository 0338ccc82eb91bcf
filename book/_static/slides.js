// Turns the slides: arrow keys, space, page keys, Home and End; a click on the right or left edge; a swipe.
(() => {
  const slides = [...document.querySelectorAll(".slide")];
  const place = document.getElementById("place");
  let now = 0;
  const show = (wanted) => {
    now = Math.max(0, Math.min(slides.length - 1, wanted));
    slides.forEach((slide, index) => slide.classList.toggle("now", index === now));
    place.textContent = `${now + 1} / ${slides.length}`;
    history.replaceState(null, "", `#${now + 1}`);
    slides[now].scrollTop = 0;
  };
  const keys = { ArrowRight: 1, PageDown: 1, " ": 1, ArrowLeft: -1, PageUp: -1 };
  document.body.classList.add("turning");
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("summary, input, a") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Home") show(0);
    else if (event.key === "End") show(slides.length - 1);
    else if (event.key in keys) show(now + keys[event.key]);
    else return;
    event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("summary, a, button, input, details")) return;
    if (event.clientX > window.innerWidth * 0.85) show(now + 1);
    else if (event.clientX < window.innerWidth * 0.15) show(now - 1);
  });
  let start = null;
  document.addEventListener("touchstart", (event) => { start = event.touches[0].clientX; });
  document.addEventListener("touchend", (event) => {
    const moved = event.changedTouches[0].clientX - start;
    if (Math.abs(moved) > 60) show(now + (moved < 0 ? 1 : -1));
  });
  show((parseInt(location.hash.slice(1), 10) || 1) - 1);
})();
