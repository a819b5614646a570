module proving-ground.test/pause

go 1.26.0
