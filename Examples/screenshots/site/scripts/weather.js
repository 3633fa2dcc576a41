fetch("/data/weather.json")
    .then(answer => answer.json())
    .then(weather => {
        document.getElementById("weather").textContent = `Wind ${weather.wind} knots, ${weather.sky}.`;
    });
