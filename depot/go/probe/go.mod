module proving-ground.test/probe

go 1.26.0
