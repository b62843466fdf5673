// <div data-dismissible>Saved. <button type="button" data-dismiss>Dismiss</button></div>
document.addEventListener("click", (event) => {
  event.target.closest("[data-dismiss]")?.closest("[data-dismissible]")?.remove();
});
